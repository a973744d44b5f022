"""Topics of invented deposits that do hold medical ultrasound pictures, clips or volumes."""

from __future__ import annotations

from ultracurate.phantom.hosts.world_text import Topic, topic

EVIDENCE = (
    "All frames were acquired in B-mode with a {scanner} and a {probe} probe ({mhz} MHz).",
    "Ultrasound images were stored from a {scanner} during routine examinations at {place}.",
    "The scans come from a {scanner} ultrasound system; depth and gain were left to the operator.",
    "Grey-scale sonograms were exported without burnt-in names and saved once per view.",
    "A {probe} transducer ({mhz} MHz) of a {scanner} scanner was used for every ultrasonography.",
    "Sonographic pictures were cropped to the fan and resized to 512 x 512 pixels.",
    "Each US image shows one view; Doppler boxes and calipers were kept in some of them.",
    "This is an ultrasound image dataset collected in {country} between {year} and 2025.",
    "Handheld devices (POCUS) and cart-based ultrasound machines were both used.",
)
DETAILS = (
    "It holds {m} images of {n} patients.",
    "There are {n} cases, {k} of them with follow-up.",
    "Ground truth was drawn by {reader} with {tool}.",
    "Images are divided into {split} parts.",
    "We trained {net} as a baseline and reached {p}.{k} % accuracy.",
    "Masks have the same name as their image.",
    "A table lists age, sex and histology where known.",
    "Poor quality frames were left in on purpose.",
    "CT or MRI served as reference standard and is not included.",
    "The readers also answered a short questionnaire (see table).",
    "{n} persons, {country}, {year}.",
    "Collected at {place} between {year} and 2025.",
    "Compared with {net}, readers were faster but less consistent.",
    "Labels follow the consensus of {reader}.",
)

_S, _Z = "stills zip_named zip_plain", "zip_named zip_plain zips_split opaque"
_ALL = f"{_S} opaque zips_split folders"

GOOD: tuple[Topic, ...] = (
    topic("breast", "Breast ultrasound images, benign and malignant|BUSI|BUSI-{abbr}{abbr2}: breast lesions|"
        "Breast lesion sonogram collection ({country})|Mammary nodules with BI-RADS",
        "Breast lesions seen at ultrasound, classified as benign, malignant or normal.|"
        "Masses of the breast with BI-RADS category and outline.",
        "ultrasound,breast cancer,BUSI,segmentation,BI-RADS", _ALL),
    topic("thyroid", "Thyroid nodule US|TI-RADS nodules, {country}|Thyroid ultrasound with nodule masks|"
        "{abbr}{abbr2} thyroid", "Nodules of the thyroid gland in transverse and longitudinal sonograms.|"
        "TI-RADS graded thyroid nodules with cytology as reference.", "thyroid nodule,ultrasonography,TI-RADS,deep "
        "learning", _ALL),
    topic("head", "Fetal head circumference|Large set of fetal head biometry|Fetal head ultrasound, 2nd trimester|"
        "HC measurement challenge data", "Standard planes of the fetal head with an ellipse around the skull, 2D "
        "ultrasound.|Head circumference (HC) was measured on ultrasound by {reader}.",
        "fetal ultrasound,biometry,head circumference,obstetrics", _ALL),
    topic("planes", "Maternal-fetal planes|Common fetal standard planes {country}|First-trimester anatomy views|"
        "Fetal ultrasound plane classification", "Abdomen, brain, femur, thorax and cervix planes from screening "
        "ultrasound.|Views of the obstetric scan sorted by plane.", "fetal planes,ultrasound,classification", _ALL),
    topic("cardiac", "Echocardiography, apical views|A4C and A2C clips with LV outlines|"
        "{abbr}{abbr2}: echocardiograms|Left ventricle at end-systole and end-diastole",
        "Transthoracic echocardiography of {n} adults, apical four- and two-chamber views.|"
        "Echocardiogram clips with ejection fraction and tracings of the left ventricle.",
        "echocardiography,left ventricle,ejection fraction,segmentation", "clips zip_clips volumes opaque "
        "dicom_bare"),
    topic("lung", "Lung POCUS|B-lines and consolidation, bedside clips|Lung ultrasound COVID-19 frames|"
        "LUS severity scores", "Lung ultrasound (LUS) clips with A-lines, B-lines and consolidations.|"
        "Point-of-care lung scans of patients with COVID-19 and controls.", "lung ultrasound,POCUS,COVID-19,B-lines",
        "clips zip_clips stills zip_plain zip_named"),
    topic("carotid", "Common carotid artery|Carotid intima-media images|Carotid ultrasound in long axis, {country}|"
        "CCA {abbr2}", "Longitudinal and transverse B-mode of the common carotid artery with lumen masks.|"
        "Intima-media thickness was traced on ultrasound still frames.", "carotid artery,B-mode,IMT,ultrasound",
        _ALL),
    topic("liver", "Annotated liver lesions|Fatty liver sonograms|Liver ultrasound steatosis stages|"
        "Hepatic B-mode {abbr}{abbr2}", "Liver ultrasound with outlines of liver and mass.|"
        "Steatosis grade from biopsy for each abdominal sonogram.", "liver,ultrasound,fatty liver,steatosis", _ALL),
    topic("kidney", "Kidney stone and no stone|Renal capsule segmentation|Kidney ultrasound images|"
        "Hydronephrosis grading set", "Kidney ultrasound images with and without a stone.|"
        "Renal sonography with masks of cortex, medulla and central echo complex.", "kidney,ultrasound,renal stone",
        _ALL),
    topic("muscle", "Muscle architecture, lower limb|Vastus lateralis cross-sections|"
        "Ultrasound of gastrocnemius fascicles|Muscle thickness panoramas", "Panoramic ultrasound of the thigh with "
        "outlined cross-sectional area.|B-mode clips of the medial gastrocnemius during contraction.",
        "muscle,ultrasonography,fascicle,CSA", "stills zip_plain clips zip_named volumes"),
    topic("nerve", "Brachial plexus localisation|Median nerve at the wrist|Nerve ultrasound for regional anaesthesia|"
        "Ulnar nerve {abbr}{abbr2}", "Ultrasound of the neck with the brachial plexus outlined for nerve blocks.|"
        "Median nerve in the carpal tunnel, transverse B-mode.", "nerve,ultrasound,regional anaesthesia,segmentation",
        _ALL),
    topic("ovary", "PCOS ovaries|Ovarian cyst collection|Transvaginal adnexal masses|Polycystic ovary ultrasound",
        "Transvaginal ultrasound of ovaries with and without PCOS.|"
        "Ovarian cysts: simple, haemorrhagic, endometrioma, dermoid; sonographic stills.",
        "PCOS,ovary,transvaginal ultrasound", _ALL),
    topic("prostate", "TRUS volumes with gland contours|Micro-ultrasound prostate|Prostate registration set|"
        "Transrectal scans, 3D", "Transrectal ultrasound volumes with contours of the gland.|"
        "Micro-ultrasound slices of the prostate annotated by {reader}.", "prostate,TRUS,micro-ultrasound,3D",
        "volumes zip_volumes mat opaque"),
    topic("lymph", "Cervical lymph nodes|Lymph node ultrasound image dataset|Axillary node status {abbr2}|"
        "Nodes, benign or metastatic", "Lymph nodes of the neck imaged by ultrasound, labelled by cytology.|"
        "Axillary ultrasound before biopsy; one picture a node.", "lymph node,ultrasound,metastasis", _ALL),
    topic("appendix", "Paediatric appendicitis views|Right lower quadrant of children|Appendix ultrasound {country}",
        "Abdominal ultrasound of children with suspected appendicitis, several views a child.|"
        "Appendix diameter and free fluid were noted on sonograms.", "appendicitis,paediatrics,abdominal ultrasound",
        _ALL),
    topic("spleen", "Spleen clips|Spleen ultrasound videos, {country}|Splenic size by bedside scan",
        "Videos of the spleen taken with a portable ultrasound device.|"
        "Long axis of the spleen, one sweep a person, POCUS.", "spleen,point-of-care ultrasound,video",
        "clips zip_clips opaque"),
    topic("tongue", "Tongue contours in {k} speakers|Midsagittal tongue imaging|"
        "Ultrasound tongue imaging of palatal sounds", "Ultrasound tongue imaging (UTI) of speakers who read word "
        "lists, raw frames included.|Midsagittal B-mode video of the tongue synchronised with sound.",
        "speech,ultrasound tongue imaging,phonetics,articulation", "clips zip_clips zip_plain opaque"),
    topic("symphysis", "Angle of progression|Pubic symphysis and fetal head|Intrapartum transperineal views|"
        "PSFH {abbr2}", "Transperineal ultrasound in labour with masks of symphysis and fetal head.|"
        "Intrapartum sonography, angle of progression labelled.", "intrapartum ultrasound,angle of progression,pubic "
        "symphysis", "volumes zip_volumes stills zip_plain"),
    topic("gallbladder", "Gallbladder disease, nine classes|Gallstones|Gallbladder ultrasound cancer set|"
        "Biliary {abbr}{abbr2}", "Gallbladder ultrasound with stones, polyps, wall thickening or carcinoma.|"
        "Abdominal sonography of the gallbladder, nine classes.", "gallbladder,ultrasound,gallstones", _ALL),
    topic("pancreas", "EUS of the pancreas|Pancreatic masses, endoscopic|"
        "Endoscopic ultrasound images of solid lesions", "Endoscopic ultrasound (EUS) of the pancreas with labels "
        "cancer and non-cancer.|EUS stations, frames cut from procedures.", "endoscopic ultrasound,pancreas,EUS",
        _ALL),
    topic("hip", "Infant hip, Graf method|DDH screening|Neonatal hip ultrasound|Graf angles with landmarks",
        "Ultrasound of the newborn hip in the coronal plane with Graf angles.|"
        "Landmarks for alpha and beta angles on hip sonograms.", "DDH,hip,ultrasound,landmarks", _ALL),
    topic("spine", "Spinous processes, scoliosis|Lumbar multifidus|Spine ultrasound volumes",
        "Freehand ultrasound of the spine with bone surfaces labelled.|Lumbar multifidus muscle in B-mode at L5.",
        "spine,ultrasound,scoliosis,multifidus", "volumes zip_volumes stills zip_plain"),
    topic("skin", "Dermatologic images at 18 MHz|Skin lesions in depth|High-frequency ultrasound of skin",
        "High-frequency ultrasound of skin lesions, benign and malignant.|"
        "Cutaneous sonography of naevi, cysts and carcinomas.", "dermatology,high-frequency ultrasound,skin", _ALL),
    topic("eye", "Ocular B-scan|Optic nerve sheath diameter|Eye ultrasound: retinal detachment",
        "Ocular B-scan ultrasonography with retinal detachment, haemorrhage or normal.|"
        "Optic nerve sheath seen with a {probe} ultrasound probe through the closed lid.",
        "ocular ultrasound,ophthalmology,retina", _ALL),
    topic("dvt", "Compression of leg veins|Deep vein thrombosis clips|DVT ultrasound frames",
        "Compression ultrasound of the femoral and popliteal veins.|Two-point DVT scans, vein and artery labelled.",
        "DVT,vein,compression ultrasound", "clips zip_clips stills zip_plain"),
    topic("doppler", "Umbilical artery spectra|Doppler waveforms as pictures|"
        "Pulsed-wave Doppler images, mitral inflow", "Spectral Doppler images of the umbilical artery saved from an "
        "obstetric ultrasound machine.|PW Doppler screens of the mitral inflow from echocardiography.",
        "Doppler ultrasound,waveform,umbilical artery", _ALL),
    topic("tee", "Mitral valve, 3D TEE|Transoesophageal volumes|Mitral leaflets {abbr2}",
        "Transesophageal echocardiography (3D TEE) with leaflet labels.|"
        "Ultrasound volumes of the mitral valve at mid systole.", "TEE,echocardiography,mitral valve,3D",
        "volumes zip_volumes mat"),
    topic("brain", "Intraoperative brain sweeps|Tumour resection with iUS|Neonatal cranial ultrasound",
        "Intraoperative ultrasound before and after tumour resection, tracked.|"
        "Cranial ultrasound of preterm infants through the fontanelle.",
        "intraoperative ultrasound,brain,neurosurgery,neonate", "volumes zip_volumes dicom_bare stills"),
    topic("freehand", "Trackerless freehand sweeps of the forearm|Tracked scans for 3D reconstruction|"
        "Freehand ultrasound with poses", "Freehand ultrasound frames of the forearm with tracker poses.|"
        "2D US sequences with rigid transforms for reconstruction of volumes.",
        "freehand ultrasound,reconstruction,tracking", "mat zip_volumes clips"),
    topic("needle", "Needle tip frames|Biopsy needle in tissue|Needle visibility in ultrasound",
        "Ultrasound frames with the biopsy needle labelled, in patients.|"
        "In-plane needle insertions seen in B-mode during nerve blocks.", "needle,ultrasound guidance,detection",
        _ALL),
    topic("fetalheart", "First trimester fetal heart|Four-chamber view|Congenital heart disease, prenatal|"
        "Fetal echocardiography views", "Fetal echocardiography at 11-14 weeks with view labels.|"
        "Prenatal ultrasound of the heart and thorax in the four-chamber view.", "fetal echocardiography,congenital "
        "heart disease,prenatal", _ALL),
    topic("abdomen", "Fetal abdominal circumference sweeps|Abdominal organs {abbr}{abbr2}|Fetal abdomen structures",
        "Blind-sweep ultrasound of pregnant women with the best abdominal plane marked.|"
        "Abdominal ultrasound: liver, kidney, vessels and gallbladder outlined.",
        "abdominal circumference,ultrasound,blind sweep", "volumes zip_volumes stills zip_plain"),
    topic("shoulder", "Supraspinatus tears|Rotator cuff {country}|Shoulder ultrasound, tendon labels",
        "Musculoskeletal ultrasound of the rotator cuff with tear labels.|"
        "Supraspinatus tendon, long and short axis sonograms.", "rotator cuff,musculoskeletal ultrasound,tendon",
        _ALL),
    topic("knee", "Femoral cartilage|Knee effusion and synovitis|Knee ultrasound, cartilage masks",
        "Ultrasound of the femoral cartilage in flexed knees.|"
        "Power Doppler and grey-scale ultrasound of synovitis, scored 0-3.", "knee,cartilage,ultrasound,synovitis",
        _ALL),
    topic("ceus", "Contrast-enhanced clips of focal liver lesions|CEUS LI-RADS|B-mode and CEUS pairs",
        "Contrast-enhanced ultrasound (CEUS) loops, arterial to late phase.|"
        "Dual view clips with B-mode next to the contrast mode.", "CEUS,contrast-enhanced ultrasound,liver",
        "clips zip_clips dicom_bare zip_dicom"),
    topic("elasto", "Strain and shear-wave pictures|Elastography of breast masses|Shear wave maps over B-mode",
        "Shear-wave elastography next to the B-mode ultrasound of the same mass.|"
        "Strain ultrasound elastograms with histology.", "elastography,ultrasound,shear wave", _ALL),
    topic("ivus", "Coronary pullbacks|IVUS frames with lumen and media|Intravascular ultrasound borders",
        "Intravascular ultrasound (IVUS) pullbacks with lumen and media contours.|"
        "20 MHz and 45 MHz IVUS frames of coronary arteries.", "IVUS,coronary,intravascular ultrasound",
        "dicom_bare zip_dicom stills zip_plain"),
    topic("testis", "Testicular masses|Scrotal sonography|Testis ultrasound {country}",
        "Scrotal ultrasound with testicular masses and normals.|Testicular sonograms, transverse and sagittal.",
        "testis,scrotal ultrasound", _ALL),
    topic("salivary", "Parotid tumours|Salivary gland scoring|Salivary ultrasound, Sjögren",
        "Ultrasound of parotid and submandibular glands scored by OMERACT.|"
        "Parotid tumours in grey-scale ultrasound, with pathology.", "salivary gland,parotid,ultrasound", _ALL),
    topic("bladder", "Bladder wall and volume|Bladder tumours, transabdominal|Bladder ultrasound",
        "Transabdominal ultrasound of the urinary bladder with masks.|"
        "Bladder volume before and after voiding, sonographic stills.", "urinary bladder,ultrasound,volume", _ALL),
    topic("ebus", "EBUS nodes|Mediastinal nodes, bronchoscopic|Endobronchial ultrasound station images",
        "Endobronchial ultrasound (EBUS) of mediastinal nodes with labels.|Convex EBUS video with tracked probe.",
        "EBUS,endobronchial ultrasound,bronchoscopy", "clips zip_clips stills zip_plain"),
    topic("placenta", "Placenta and previa|Placental texture {country}|Placenta ultrasound segmentation",
        "Obstetric ultrasound with placenta outlined by {reader}.|"
        "Placental location, 2D sonograms of the second trimester.", "placenta,obstetric ultrasound,segmentation",
        _ALL),
    topic("cervix", "Cervical length|Cervical cancer staging by TVUS|Cervix transvaginal ultrasound",
        "Transvaginal ultrasound of the cervix, length measured.|"
        "Staging scans of cervical cancer by transrectal ultrasound.", "cervix,transvaginal ultrasound,obstetrics",
        _ALL),
    topic("fibroid", "Uterine fibroids before HIFU|Myoma sonograms|Uterus ultrasound, fibroid outlines",
        "Diagnostic ultrasound of uterine fibroids taken before focused ultrasound treatment.|"
        "Transabdominal sonograms with myomas outlined.", "fibroid,uterus,ultrasound", _ALL),
    topic("bone", "Wrist fractures in children|Bone surfaces|Bone ultrasound: cortex lines",
        "Point-of-care ultrasound of paediatric wrists with fracture labels.|"
        "Bone surfaces in B-mode, in vivo, with labels.", "fracture,bone,POCUS,ultrasound", _ALL),
    topic("gut", "Bowel wall thickness|Gastric antrum for fasting status|Intestinal ultrasound frames",
        "Intestinal ultrasound of patients with Crohn's disease, wall marked.|"
        "Gastric ultrasound of the antrum, empty or full.", "intestinal ultrasound,gastric ultrasound,bowel", _ALL),
    topic("rectal", "Endorectal videos|Colorectal tumours, ERUS|Rectal cancer T stage ultrasound",
        "Endorectal ultrasound videos with tumour masks.|ERUS frames of rectal cancer by T stage.",
        "endorectal ultrasound,ERUS,colorectal cancer", "clips zip_clips stills zip_plain"),
    topic("quality", "Low and high resolution pairs|Image quality of handheld and cart systems|"
        "Paired ultrasound for enhancement", "Pairs of low- and high-quality ultrasound images of the same view in "
        "volunteers.|Same organ with a handheld and a high-end ultrasound device.",
        "ultrasound,image enhancement,super-resolution", _ALL),
    topic("multi", "ultrasound_img|new data F|My US pics|Multi-organ collection {abbr2}|usg_dataset",
        "Ultrasound images of several organs (breast, thyroid, liver, kidney, carotid).|"
        "Various sonograms for a student project.", "ultrasound,medical imaging,multi-organ", _ALL),
)  # fmt: skip
