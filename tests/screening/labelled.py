"""Short invented records with a person's answer: about medical ultrasound images (True) or not (False)."""

from __future__ import annotations

# title | description | keywords, one a line; an empty field stays empty
POSITIVE = """
Breast ultrasound images with lesion masks | 780 images of 600 women, with masks drawn by two radiologists. |
Thyroid nodule dataset | <p>B-mode images of 349 nodules, TI-RADS graded.</p> |
Fetal head circumference | 1,354 ultrasound images of the standard plane from 551 pregnant women. |
HC grand challenge data | The circumference of the fetal head is measured in ultrasound images. | biometry
EchoDyn: apical four-chamber videos | 10,030 echocardiogram videos with the left ventricle traced. |
Cardiac segmentation | Two- and four-chamber echocardiographic sequences of 500 patients (NIfTI). |
Lung POCUS clips | Clips of COVID-19, pneumonia and healthy lungs from several devices. |
ultrasound_img | |
ultrasoundvd | |
US images of the carotid artery | Longitudinal scans of the common carotid with wall masks. |
Kidney US segmentation | 534 US scans of native and transplanted kidneys. |
Nerve segmentation challenge | Identify the brachial plexus in ultrasound images. |
Ecografías de mama | Conjunto de datos con 300 imágenes de ecografía mamaria, benignas y malignas. |
Imágenes de ultrasonido de tiroides | Estudio en un hospital público, con máscaras de los nódulos. |
Échographies du foie | Base de 200 images d'échographie hépatique annotées. |
Échographie fœtale : plans standards | Vidéos et images acquises au deuxième trimestre. |
Schilddrüsen-Sonographie | Bilder von Knoten, mit Segmentierung durch zwei Ärzte. |
Ultraschallbilder der Leber | Datensatz mit 1200 Aufnahmen aus der Klinik. |
Ecografie della mammella | Immagini ecografiche di 150 pazienti, con maschere. |
Ultrassom de mama | Imagens de ultrassonografia de lesões mamárias com BI-RADS. |
Meme ultrason görüntüleri | 500 hasta, iyi huylu ve kötü huylu lezyonlar. |
Tiroid ultrasonografi veri seti | Nodül segmentasyonu için görüntüler. |
УЗИ щитовидной железы | Набор данных: снимки узлов и их контуры. |
Ультразвуковые изображения печени | 300 снимков пациентов. |
甲状腺超声图像数据集 | 包含结节分割标注。 |
乳腺超声数据集 | 良性与恶性病灶的图像。 |
颈动脉超声视频 | 临床采集的视频和标注 |
USG tarczycy | Zbiór danych z obrazami ultrasonograficznymi 120 pacjentów. |
갑상선 초음파 영상 | 결절 분할 데이터 |
胎児心エコー画像データセット | 四腔断面の画像 |
Siêu âm tuyến giáp | Dataset of thyroid ultrasound images from Vietnam |
Echografie van de lever | Beelden van 80 patiënten met masker |
Ultraljud av hjärtat | Bilder och videor av vänster kammare, ekokardiografi |
Breast ultrasoud dataset | images of benign and malignant lesions |
Tyroid ultrsound images | from our hospital |
Gallbladder diseases | 10,692 sonographic images of nine classes. |
Appendicitis in children | Regensburg cohort: ultrasound images and clinical data. | pediatrics; ultrasound
Muscle fascicles | Ultrasound videos of the gastrocnemius during walking with fascicle length. |
DeepMuscle | Panoramic ultrasound images with masks of the cross-sectional area. |
Prostate MR-TRUS registration | 73 pairs of MR and transrectal ultrasound volumes with landmarks. |
Prostate-MRI-US-Biopsy | DICOM of MRI and ultrasound with targets as STL. |
Brain tumour resection | MRI and intra-operative ultrasound volumes with matching landmarks. |
Liver lesions in CEUS | Contrast-enhanced ultrasound clips of 186 lesions. |
Endobronchial ultrasound of lymph nodes | Videos from 30 procedures. | EBUS
Endoscopic ultrasound of the pancreas | Images for classification of tumours. |
IVUS frames | Intravascular ultrasound with lumen and media contours. |
Tongue shapes of Irish speakers | Midsagittal ultrasound tongue imaging, video frames and audio. |
Lumbar multifidus | B-mode images of athletes, prone and standing. |
Spine scoliosis freehand sweeps | Tracked 3D ultrasound volumes of 25 adolescents. |
Hip dysplasia | Standard planes by the Graf method; ultrasound of infants. |
PCOS detection using ultrasound images | Infected and not infected. |
Ovarian tumours MMO | 1,469 ultrasound images of eight kinds of tumour. |
Ovarian cyst classes | sonograms from two hospitals |
Shear wave elastography of the breast | Elastograms and B-mode pairs. |
Colour Doppler of the carotid | DICOM clips with spectral Doppler. |
Umbilical artery Doppler | Spectral Doppler waveform pictures of pregnant women with labels. |
Mitral valve 3D TEE | Volumes in NIfTI with leaflet masks. |
Coarctation of the aorta | Echocardiography of newborns: videos and measures. |
First trimester fetal heart | First Trimester Fetal Echocardiography Data Set for Classification |
Maternal-fetal planes | 12,400 screening images, six classes, from two hospitals. | fetal ultrasound; deep learning
BUSI copy | Dataset_BUSI_with_GT breast ultrasound images |
Porcine spinal cord | 10,223 ultrasound images of injured and intact cords. |
Lung ultrasound phantom | B-lines and pleural line labelled in frames of a phantom. |
Simulated and real abdominal ultrasound | 926 synthetic and 617 real images with organ colours. |
Ultrasound report generation | Pictures and Chinese findings of breast, thyroid and liver. |
Ultrasound to ultrasound translation LR-HR | Paired low and high resolution images of five organs. |
Vessel videos | 105 ultrasound clips of carotid and femoral artery from 11 volunteers. |
Needle tracking | Ultrasound-guided regional anesthesia: frames with the needle and the nerve labelled. |
Ultrasound-guided breast biopsy frames | Image sequences with the needle segmented. |
Deep vein thrombosis compression clips | Compression ultrasound videos of the leg, annotated. |
Dermatologic ultrasound images | High frequency pictures of skin lesions with Doppler. |
High-frequency skin scans | 22 MHz sonography of basal cell carcinoma, PNG. |
Fetal abdomen sweeps | Blind sweeps by low-cost probes; MHA volumes; obstetric ultrasound. |
Pubic symphysis and fetal head | Intrapartum transperineal images with masks (angle of progression). |
Lymph node US image set | metastatic and reactive nodes |
Echo views of the heart | Stress echo clips, views A4C, A2C and PLAX. |
Left ventricle wall motion HMC-like | Echocardiography recordings of infarction patients. |
Kidney stones | Kidney ultrasound images, stone and no stone |
Fatty liver | B-mode ultrasound sequences with biopsy as ground truth. |
RF data of breast lesions | Raw radiofrequency ultrasound lines of 100 patients for quantitative imaging. |
PICMUS-like channel data | Plane wave ultrasound imaging of phantom and carotid, channel data in HDF5. |
Ultrasound phantom images | Images of a commercial tissue phantom by a robot arm. |
Knee cartilage | Ultrasound volumes of the femoral cartilage with segmentation. |
Eye B-scans | Ocular ultrasound images of retinal detachment. |
Testicular ultrasound | Grey-scale pictures with tumour labels. |
Neonatal cranial scans | Cranial ultrasound of preterm babies, coronal planes. |
Uterine fibroids in transvaginal scans | 1,990 sonograms, JPG. |
Ultrasound localisation microscopy of rat brain | Contrast ultrasound frames with microbubbles. |
Functional ultrasound of comatose patients | Power Doppler volumes during auditory stimulation. |
Multimodal breast set | Paired mammography, MRI and ultrasound images of 300 patients. |
Bladder volume | Handheld ultrasound frames with the bladder outlined. | bladder; point-of-care ultrasound; segmentation
Carotid plaque | Images of plaques | ultrasonography; atherosclerosis
Data for: a network that sees gallstones | The images were cut from sonograms of 1,000 patients. |
Figure-free data of our paper on thyroid AI | We share all ultrasound pictures used for training, and a CSV. |
Diaphragm motion | M-mode and B-mode clips of ventilated patients. |
Fetal biometry landmarks | 3,832 high-resolution images with landmarks for head, abdomen and femur. | fetal ultrasound
Scans of plantar fascia | ultrasound dataset of the heel
"""

NEGATIVE = """
Ultrasound-assisted extraction of polyphenols from grape pomace | Yields at several powers and times. |
Effect of ultrasound on the stability of nanoemulsions | Droplet sizes and zeta potential. |
Sonochemical synthesis of ZnO nanoparticles | XRD patterns and SEM images. |
Ultrasonic cleaning of heat exchangers | Fouling data. |
Ultrasound pretreatment of wood chips | Raw data. |
High-power ultrasound in winemaking | Colour measurements of wine. |
Cavitation erosion in a sonoreactor | High-speed videos of bubbles under ultrasound. |
Drying kinetics of apple slices with ultrasound | Moisture over time. |
Ultrasound treated whey protein | Particle size, FTIR spectra. |
Degradation of dyes by ultrasound and catalysts | Concentrations. |
Extracción asistida por ultrasonido de antioxidantes | Datos experimentales. |
Extração assistida por ultrassom de pectina | Rendimento. |
Ultraschallunterstützte Emulgierung | Messwerte |
超声辅助提取多糖 | 实验数据 |
超声波清洗机参数 | 数据 |
Ultrasonic testing of welds | B-scan images of flaws in steel plates, phased array. |
Ultrasound images of weld seams | Dataset for defect detection with deep learning. | NDT; welding
Lamb waves in composite plates | Guided wave signals for structural health monitoring. |
Ultrasonic pulse velocity in concrete | Measurements at 28 days. |
Zerstörungsfreie Prüfung mit Ultraschall | Signale von Schweißnähten. |
Ultrasonido en soldaduras de acero | Señales de inspección. |
Неразрушающий контроль: ультразвук | Сигналы от дефектов в металле. |
焊缝超声探伤图像 | 缺陷检测数据集 |
Phased array images of rail cracks | Ultrasonic inspection of railway tracks, PNG. |
Ultrasound tomography of timber | Travel times in wood. |
State of charge of lithium-ion batteries by ultrasound | Waveforms. |
HC-SR04 ultrasonic sensor readings | Distance of obstacles by an Arduino. |
Ultrasonic sensor parking dataset | Readings of a mobile robot. |
Wall-following robot | 24 ultrasound sensors arranged around the waist of a robot. |
Ultrasonic flow meter calibration | CSV files. |
Gesture recognition with ultrasound in smartphones | Audio recordings at 20 kHz. |
Mid-air ultrasonic haptics | User ratings of tactile patterns. |
Ultrasonic motor characteristics | Speed and torque. |
Ultrasonic wire bonding process data | Signals. |
Ultrasonic vocalizations of mouse pups | Recordings (WAV) at postnatal days 5 to 9. |
Bat calls of Central Europe | Ultrasound recordings with species labels. |
Katydid songs | Ultrasonic recordings of insects. |
USV of rats during play | Spectrogram images and annotations. |
Llamadas de murciélagos | Grabaciones de ultrasonido. |
Side-scan sonar images | Seabed targets, segmented. |
Fish echograms | Echosounder data of a fisheries survey. |
Acoustic Doppler current profiler | Velocity of a river. |
Weather: Doppler radar mosaics | Images of storms. |
Micro-Doppler of gait | Radar spectrograms. |
Laser Doppler perfusion | Signals of skin blood flow. |
Echo state networks | Code and results of chaotic time series. |
Amazon Echo reviews | Texts with sentiment. |
Doppler shift of exoplanet hosts | Radial velocities. |
Seismic sections | Ultrasonic analogue models. |
Spin echo sequences at 3 T | MRI phantoms. |
HIFU ablation of liver tissue | Temperatures during focused ultrasound. |
Focused ultrasound neuromodulation in mice | Calcium imaging and behaviour. |
Low-intensity pulsed ultrasound and bone healing | Microscopy images of sections. |
Blood-brain barrier opening with microbubbles | Fluorescence intensities. |
Transcranial ultrasound stimulation and mood | Questionnaires of volunteers. |
Therapeutic ultrasound for knee pain | Randomized trial; VAS scores. |
Sonodynamic therapy nanoparticles | Cell viability, western blots. |
Ultrasound-responsive drug delivery | Release curves. |
Phacoemulsification energy | Table of cumulative dissipated energy. |
Histotripsy bubble clouds | Pressure field simulations. |
Survey of ultrasound training among residents | Questionnaire answers of 210 residents. |
POCUS curriculum evaluation | Likert answers of medical students before and after a course. |
Attitudes of midwives to obstetric ultrasound | Interviews. |
Encuesta sobre el uso de la ecografía | Respuestas de médicos de familia. |
Umfrage zur Sonographie-Ausbildung | Fragebogen und Antworten |
Lecture: basics of echocardiography | Slides and recording of a lecture. |
Webinar on lung ultrasound | Video of the presentation. |
Ultrasound physics tutorial | Course material with slides |
Systematic review of ultrasound in appendicitis | PRISMA table, search strings. |
Meta-analysis of elastography | Extracted data of 40 studies. |
Erector spinae block under ultrasound guidance | Randomized trial, pain scores of 80 patients. |
Ultrasound-guided erector spinae plane block | Data of a randomised double blind trial. |
Study protocol: ultrasound in shock | Protocol for a clinical trial. |
Breast cancer Wisconsin | Features of cell nuclei from fine needle aspirates. |
Chest CT of COVID-19 | CT slices, compared with ultrasound in the text. |
Brain MRI segmentation | MR images; no ultrasound. |
Chest X-ray pneumonia | Radiographs of children. |
Mammograms | Mammography images of 1,000 women, some also had ultrasound. |
Skin lesions in dermoscopy | Dermoscopic images of melanoma. |
Colonoscopy polyps | Endoscopy frames with masks. |
Retina OCT | Optical coherence tomography scans. |
Histology of thyroid nodules | Whole slide images. |
RNA-seq of fetal liver | Counts per gene. |
Gene expression after ultrasound exposure | qPCR and western blot of cells. |
Photoacoustic tomography of vessels | Reconstructed photoacoustic volumes. |
Numerical simulation of ultrasound propagation in bone | k-Wave pressure fields. |
Finite element model of an ultrasonic horn | COMSOL files. |
Transducer design with CMUT arrays | Impedance measurements. |
Acoustic levitation with ultrasound | Trajectories of particles. |
Acoustic metamaterial for ultrasound | Transmission spectra. |
Attenuation coefficient of plastics | Ultrasound measurements of speed of sound. |
Heart failure clinical records | Table of 299 patients: age, ejection fraction, serum creatinine. |
Diabetes and body composition | Excel file with blood tests. |
ECG of arrhythmia | 12-lead signals. |
Rainfall and climate | Annual means. |
Agricultural commodity prices | Panel data of markets. |
5G throughput traces | Drive tests. |
Ultrasound frequency noise in public places | Sound levels above 20 kHz. |
Ultrasonic welding of thermoplastics | Force and energy curves. |
Ultrasonic atomization of fuel | Droplet videos. |
Ultrasound in meat tenderisation | Shear force. |
Ultrasonic degassing of aluminium melts | Micrographs. |
Ultrasonic repellents for rodents | Field observations. |
US census of households | Income by county. |
US hospital patients by state | Admissions. |
US stock images | Charts of stock prices. |
Echo chambers in social networks | Tweets. |
Doppler-free spectroscopy of rubidium | Spectra. |
Sonoluminescence | Photographs of a flask. |
Magnetic resonance elastography | MRI wave images of the liver. |
Data from: sonar and beaked whales | Dive records. |
Knowledge and practice of nurses about bladder scanners | Questionnaire. |
Thermal images of breasts | Thermography of healthy women. |
Electromyography of the forearm | EMG signals. |
"""


# Written once the vocabulary stood: what they teach is a general rule or nothing.
FRESH_POSITIVE = """
Placental volumes at 12 weeks | 3D scans with manual segmentations. | ultrasound; placenta
Supraspinatus tears | Shoulder sonograms of athletes, three grades. |
Gallbladder wall | 400 grey-scale pictures taken at the bedside with a portable ultrasound device |
Cine loops for right ventricular function | Echo loops in AVI, with fractional area change. |
Ecografía pulmonar en neonatos | Vídeos de 60 recién nacidos con patrones A y B. |
Nackenfalte | Ultraschall-Aufnahmen im ersten Trimester, annotiert. |
Images échographiques de la thyroïde | 1 200 nodules, classés EU-TIRADS |
Dados de ultrassonografia do fígado | Imagens DICOM de esteatose. |
Immagini di ecocardiografia pediatrica | Filmati con quattro camere |
Karaciğer yağlanması | Ultrason görüntüleri ve etiketleri |
Датасет УЗИ почек | Изображения с камнями и без |
胎儿四腔心切面 | 超声图像与标签 |
Lung sliding in M-mode | Frames from intensive care, labelled by two experts. | lung ultrasound
Vessel wall tracking | Carotid cineloops, RF lines and B-mode. |
Speckle tracking phantom | Simulated echocardiographic sequences of ventricles with known strain. |
Needle in tissue | Robot-held probe; ultrasound frames of porcine muscle with needle tip positions. |
Uterus volumes | Transvaginal 3D sonography with surfaces. |
Wrist: median nerve | Ultrasound clips for carpal tunnel, nerve outlined in every frame. |
Liver fibrosis stages | B-mode images for classification F0 to F4. |
Ultrasound breast: BI-RADS by five readers | PNG files and reader scores. |
Bedside heart clips | Handheld echocardiography by novices, quality graded. |
Salivary glands | Sonographic images of Sjögren patients |
Canine thyroid scans | Veterinary ultrasound images of dogs. |
Eye tumours | B-scan sonography of choroidal melanoma |
Beamforming challenge | Plane-wave channel data of carotid arteries and phantoms for ultrasound imaging. |
"""
FRESH_NEGATIVE = """
Ultrasound-assisted dyeing of cotton | Colour strength of fabric. |
Acoustic streaming in microchannels | PIV images under ultrasound. |
Bond-line inspection by ultrasound | C-scans of composite plates with voids. |
Level measurement in tanks | Ultrasonic gauge readings, hourly. |
Pipistrelle roosts | Ultrasound detectors at 20 sites. |
Dog whistle hearing thresholds | Behavioural answers to ultrasonic tones. |
Salmon counts | Imaging sonar videos of a dam. |
Teleultrasound acceptance | Survey of rural doctors. |
Residents' performance in echocardiography | Test results before and after simulator training. |
Low back pain and therapeutic ultrasound | Pain scores in a randomised trial. |
Ablation lesions | Photographs of tissue after HIFU. |
Neurons under focused ultrasound | Patch clamp recordings. |
Skull models | Finite element meshes for transcranial ultrasound simulations. |
Prevalence of gallstones in a village | Table of 900 persons examined by ultrasound. |
Bone density | DXA tables. |
Knee MRI | Knee MR volumes with cartilage masks. |
Cardiac CT | Computed tomography of coronary arteries. |
Liver transcriptome | RNA sequencing of mice. |
Emulsified fuels | Ultrasonic emulsification, droplet sizes. |
Car park occupancy | Ultrasonic sensors above each place |
Gait by radar | Micro-Doppler signatures of walkers. |
Wind lidar | Doppler lidar scans over a forest. |
Photoacoustic probes | Spectra of dyes for photoacoustic imaging. |
Ultrasonically welded battery tabs | Force curves. |
Leaching of copper | Effect of ultrasound power on yield. |
Speech of Gaelic | Audio recordings and transcripts. |
Interviews with sonographers | Transcripts about work load. |
"""


def rows(which: str = "settled") -> list[tuple[str, str, tuple[str, ...], bool]]:
    """Title, description, keywords and answer of each record; `settled` or `fresh`."""
    positive, negative = (POSITIVE, NEGATIVE) if which == "settled" else (FRESH_POSITIVE, FRESH_NEGATIVE)
    made = []
    for block, answer in ((positive, True), (negative, False)):
        for line in block.strip().splitlines():
            title, description, keywords = (part.strip() for part in (line + " | | ").split("|")[:3])
            listed = tuple(word.strip() for word in keywords.split(";") if word.strip())
            made.append((title, description, listed, answer))
    return made
