"""Topics of invented deposits that a search for "ultrasound" finds and whose matter is not diagnostic ultrasound."""

from __future__ import annotations

from ultracurate.phantom.hosts.world_text import Topic, topic

ASIDES = (
    "Data behind the figures of {journal}.",
    "Measurements were repeated {k} times; the mean is given.",
    "The method is borrowed from medical ultrasound imaging.",
    "Similar networks are used for breast ultrasound images, but none are in here.",
    "The transducer was a {mhz} MHz linear probe.",
    "We trained {net} and reached {p}.{k} % accuracy.",
    "Labels were drawn by {reader} with {tool}.",
    "There are {m} samples from {n} experiments.",
    "Each file is one sample; names give date and number.",
    "Ultrasound was switched on for {n} s.",
    "Analysed with {software}; scripts on request from author{k}@example.org.",
    "Collected in {country} in {year}.",
    "Images are divided into {split} parts where there are images.",
    "This deposit supports a paper on diagnosis and segmentation.",
    "Power {n} W, frequency {khz} kHz.",
    "It holds {m} images.",
    "Masks have the same name as their image.",
    "Poor quality frames were left in on purpose.",
    "Labels follow the consensus of {reader}.",
    "Collected at {place} between {year} and 2025.",
)
_T = "tables zip_tables xlsx"
_M = "zip_micro photos tables"
_SIG = "mat_signals zip_signals tables"

OTHER: tuple[Topic, ...] = (
    topic("sonochemistry", "Sonochemical degradation of {drug} in {liquid}|"
        "Ultrasound-assisted synthesis of nanoparticles at {khz} kHz|Cavitation yield data",
        "Raw data of sonolysis at {khz} kHz in {liquid}.|Spectra and kinetics of reactions under ultrasound.",
        "sonochemistry,ultrasound,cavitation", f"{_T} spectra"),
    topic("extraction", "Ultrasound-assisted extraction of {plant} polyphenols|"
        "Response surface data for {plant} extraction|Effect of ultrasound on {plant} protein",
        "Extraction of {plant} with an ultrasonic bath of {khz} kHz, Box-Behnken design.|"
        "Yield, DPPH and colour for each run.", "ultrasound-assisted extraction,polyphenols,RSM", f"{_T} spectra"),
    topic("food", "Sonicated {liquid}: microbial counts|High-intensity ultrasound and {liquid} quality|"
        "Thermosonication of {liquid}", "Shelf life of {liquid} after ultrasound treatment at {khz} kHz.|"
        "Particle size, viscosity and microscopy of sonicated {liquid}.", "ultrasound,food processing,homogenisation",
        f"{_T} zip_micro"),
    topic("weld", "Ultrasound images of {material} welds|Phased array B-scan of weld defects|"
        "Weld inspection images for deep learning", "Phased-array ultrasound images of {material} welds with cracks, "
        "pores and lack of fusion labelled.|B-mode like sector scans of butt welds; segmentation masks by {reader}.",
        "ultrasonic testing,phased array,weld,NDT", "ndt_images zip_ndt opaque_ndt"),
    topic("cscan", "C-scan pictures of {material} plates|Ultrasonic C-scan of impact damage|"
        "Delamination images ({material})", "Immersion ultrasound C-scans of {material} laminates after impact.|"
        "Amplitude and time-of-flight images of {material} panels.", "ultrasonic C-scan,NDE,composites",
        "ndt_images zip_ndt mat_signals"),
    topic("fmc", "Full matrix capture of {material} blocks|FMC/TFM data, side drilled holes|"
        "Array data for {material} inspection", "Full matrix capture with a {mhz} MHz linear array on {material} "
        "blocks.|TFM image reconstruction of defects in {material}.", "full matrix capture,ultrasonic array,NDT",
        f"{_SIG} zip_ndt"),
    topic("guided", "Guided waves in a {material} plate|Lamb wave data for structural health monitoring|"
        "Acoustic emission of {material} under load", "Ultrasonic guided waves measured with piezo transducers on "
        "{material}.|Time signals for damage localisation under temperature change.",
        "guided waves,SHM,ultrasonic,Lamb waves", _SIG),
    topic("concrete", "Pulse velocity of {material} specimens|Ultrasonic tomography of columns|UPV and strength",
        "Ultrasonic pulse velocity and compressive strength of specimens.|"
        "Tomographic pictures of {material} columns by shear wave ultrasound.", "UPV,concrete,ultrasonic",
        f"{_T} zip_ndt"),
    topic("rail", "Rail flaw detector charts|Rail ultrasonic B-scan images|Rail head defect {abbr2}",
        "B-scan images of rails recorded by an ultrasonic inspection car, defects boxed.|"
        "Flaw charts of rail heads for object detection with {net}.", "rail inspection,B-scan,ultrasonic,object "
        "detection", "ndt_images zip_ndt"),
    topic("welding", "Ultrasonic welding of {material} tabs|Ultrasonic consolidation process signals|"
        "Horn amplitude and joint strength", "Process data of ultrasonic metal welding at {khz} kHz.|"
        "Cross sections (microscopy) and peel force of ultrasonically welded {material}.",
        "ultrasonic welding,joining", f"{_T} zip_micro mat_signals"),
    topic("cleaning", "Ultrasonic cleaning of {material} surfaces|Bubble dynamics near a {material} wall|"
        "High-speed imaging of cavitation", "High-speed images of bubbles driven at {khz} kHz near {material}.|"
        "Cleaning efficiency of an ultrasonic bath.", "ultrasonic cleaning,cavitation bubbles,high-speed imaging",
        f"{_M} highspeed"),
    topic("ranging", "HC-SR04 distance readings|Ultrasonic sensor dataset for a mobile robot|Parking sensor logs",
        "Readings of ultrasonic distance sensors on a wheeled robot in corridors.|"
        "Distance and temperature log of an ultrasonic ranger on an Arduino.", "ultrasonic sensor,robotics,distance",
        f"{_T} json"),
    topic("level", "Water level by ultrasonic gauges|River stage time series|Snow depth, ultrasonic",
        "Ten-minute water level from ultrasonic gauges in {country}.|"
        "Snow depth sensor (ultrasonic) with quality flags.", "hydrology,ultrasonic gauge,water level", _T),
    topic("anemometer", "Sonic anemometer at {p} m|Eddy covariance {year}|Ultrasonic wind tower data",
        "Three-axis ultrasonic anemometer, 20 Hz.|Fluxes from an ultrasonic anemometer over a forest in {country}.",
        "eddy covariance,ultrasonic anemometer,wind", f"{_T} mat_signals"),
    topic("gesture", "In-air ultrasound gestures|Ultrasonic gesture recognition Doppler|Mid-air haptics answers",
        "Reflected {khz} kHz tones recorded while people move their hands, Doppler pictures included.|"
        "Micro-Doppler spectrogram images from an ultrasonic array.", "gesture recognition,ultrasound,Doppler",
        "spectrograms zip_signals wav"),
    topic("bats", "Echolocation calls of {bat}|Bat detector recordings, {country}|Bat call spectrogram images",
        "Ultrasound recordings of {bat} bats at 384 kHz.|Passive ultrasonic detectors, calls labelled by species.",
        "bats,echolocation,ultrasound,bioacoustics", "wav spectrograms tables"),
    topic("insects", "Bush cricket songs above 20 kHz|Moth hearing thresholds|Ultrasound in katydids",
        "Ultrasonic songs of bush crickets recorded in {country}.|Auditory responses of moths to ultrasound pulses.",
        "bioacoustics,insects,ultrasound", "wav tables spectrograms"),
    topic("usv", "{rodent} ultrasonic vocalizations|USV calls of {rodent} pups|Social calls of {rodent}s at 50 kHz",
        "Ultrasonic vocalisations (USV) of {rodent} pups after separation.|"
        "Call types and behaviour scores, spectrogram images labelled for {net}.",
        "ultrasonic vocalization,USV,behaviour", "wav spectrograms tables"),
    topic("frogs", "Ultrasonic hearing in frogs|Dolphin clicks|Whale buzzes off {country}",
        "Click trains with energy into the ultrasound range.|Hydrophone recordings of odontocetes, {khz} kHz and up.",
        "bioacoustics,clicks,ultrasonic", "wav spectrograms"),
    topic("sonar", "Echo sounder images of {fish} schools|Sonar fish images|Acoustic camera (DIDSON) {fish} counts",
        "Imaging sonar frames of {fish}, annotated boxes; ultrasound cameras at 1.8 MHz.|"
        "Echograms of a scientific echo sounder, 38 and 120 kHz, {fish}.", "sonar,fisheries acoustics,echogram,image",
        "sonar_images zip_sonar tables"),
    topic("sidescan", "Side-scan sonar targets|Multibeam bathymetry {country}|Seafloor image mosaics",
        "Side-scan sonar images of wrecks and seafloor for detection.|Multibeam echo sounder grids.",
        "sonar,bathymetry,object detection", "sonar_images zip_sonar tables"),
    topic("seismic", "Ultrasonic velocities of {country} sandstone|Laboratory seismic data|"
        "Rock physics under pressure", "P and S wave ultrasonic velocities of cores at pressure.|"
        "Seismic section pictures and traces with ultrasonic laboratory calibration.",
        "rock physics,ultrasonic velocity,seismic", f"{_T} segy"),
    topic("radar", "Doppler weather radar volumes|Micro-Doppler radar of gait|Radar vital signs",
        "Doppler radar frames, compared with ultrasonic sensors.|Radar spectrogram images of people walking.",
        "Doppler,radar,spectrogram", "spectrograms zip_signals tables"),
    topic("esn", "Echo state networks for chaotic series|Reservoir computing code and data|Spin echo sequences",
        "Results of echo state networks with {n} neurons; one task uses ultrasonic signals.|"
        "Training curves of echo state networks.", "echo state network,reservoir computing", "zip_code tables"),
    topic("wisconsin", "Breast cancer Wisconsin features|Breast Cancer Diagnosis|Breast mass prediction csv",
        "Features of cell nuclei from fine needle aspirates of breast masses; ultrasound had found the mass.|"
        "Benign and malignant breast tumours, 30 numeric features of cytology.",
        "breast cancer,classification,tabular", "csv zip_tables"),
    topic("mammo", "Mammography with BI-RADS|Digital breast mammogram set|Breast tomosynthesis slices",
        "Mammograms, benign and malignant; ultrasound findings served only as reference for the label.|"
        "Screening mammography, two views a breast, no ultrasound included.", "mammography,breast cancer,BI-RADS",
        "xray zip_xray zip_ct"),
    topic("ct", "Abdominal CT with liver masks|Kidney CT stones|CT of appendicitis", "CT volumes; patients who had "
        "only ultrasound were left out.|"
        "Contrast-enhanced CT with organ masks; ultrasound reports were used to find cases.", "CT,segmentation,liver",
        "zip_ct volumes_ct"),
    topic("mri", "Prostate MRI lesions|Brain tumour MRI|Fetal MRI, {n} cases", "T2 and diffusion MRI; targeted by "
        "MRI-ultrasound fusion biopsy, ultrasound itself is not shared.|"
        "MRI slices in PNG with masks, an alternative to ultrasound screening.", "MRI,prostate,segmentation",
        "zip_mr volumes_mr"),
    topic("xray", "Chest X-rays of pneumonia|Paediatric hip radiographs|Wrist radiographs",
        "Radiographs in PNG, compared with lung ultrasound in {journal}.|"
        "X-ray images with fracture labels; sonography not included.", "X-ray,radiography,deep learning",
        "xray zip_xray"),
    topic("photoacoustic", "Photoacoustic tomography of vessels|Optoacoustic {rodent} brain|"
        "Photoacoustic microscopy frames", "Photoacoustic images reconstructed from ultrasonic detectors.|"
        "Optoacoustic tomography raw signals and pictures of a {rodent}.", "photoacoustic,optoacoustic,imaging",
        "zip_micro mat_signals volumes_mr"),
    topic("fus", "Focused ultrasound opens the blood-brain barrier in a {rodent}|HIFU lesions, histology|"
        "Neuromodulation by ultrasound: EEG", "Histology and fluorescence microscopy images after focused ultrasound "
        "in {rodent}s.|Transcranial ultrasound stimulation, behavioural and EEG data.",
        "focused ultrasound,blood-brain barrier,neuromodulation", _M + " zip_mr"),
    topic("lipus", "LIPUS on osteoblasts|Low-intensity pulsed ultrasound and cartilage cells|"
        "Ultrasound stimulates {rodent} stem cells", "Western blot pictures and cell counts after low-intensity "
        "pulsed ultrasound.|Confocal images of cells exposed to ultrasound at 1.5 MHz.",
        "LIPUS,cell culture,ultrasound therapy", _M),
    topic("delivery", "Microbubbles with {drug}|Sonoporation of {drug} loaded carriers|Ultrasound-triggered release",
        "Release of {drug} from liposomes under ultrasound.|"
        "Flow cytometry and fluorescence microscopy of sonoporated cells.", "drug delivery,microbubbles,ultrasound",
        _M + " spectra"),
    topic("sonodynamic", "Sonodynamic therapy with titania|Sonosensitizer characterisation|ROS under ultrasound",
        "TEM, XRD and cell images for a sonosensitiser with {drug}.|"
        "Tumour growth in {rodent}s after sonodynamic therapy.", "sonodynamic therapy,ultrasound,nanomedicine",
        _M + " spectra"),
    topic("levitation", "Acoustic levitation of droplets|Acoustic tweezers trajectories|Standing waves at {khz} kHz",
        "Videos and tracks of levitated particles in an ultrasound field.|Force maps of ultrasonic tweezers.",
        "acoustic levitation,ultrasound,droplets", "highspeed tables mat_signals"),
    topic("metamaterial", "Acoustic metamaterial transmission|Ultrasonic lens simulations|"
        "Topological phononic plates", "Finite element results and field maps of an ultrasonic lens.|"
        "Transmission spectra between {khz} and 500 kHz.", "phononic crystal,metamaterial,ultrasound",
        f"{_T} mat_signals"),
    topic("transducer", "PMUT impedance curves|Hydrophone calibration|Capacitive transducers: wafer pictures",
        "Impedance of micromachined ultrasound transducers ({mhz} MHz).|"
        "SEM pictures and pressure fields of a transducer for ultrasound imaging.", "CMUT,PMUT,ultrasound transducer",
        f"{_T} photos mat_signals"),
    topic("physio", "Therapeutic ultrasound for tendinopathy|Physiotherapy trial of ultrasound and laser|"
        "Pain scores after ultrasound therapy", "Trial of therapeutic ultrasound against placebo, pain on a scale.|"
        "Outcome table; ultrasound was the treatment.", "physiotherapy,therapeutic ultrasound,trial", "csv xlsx sav"),
    topic("dental", "Ultrasonic scaling and enamel|Ultrasonic irrigation of root canals|Piezo surgery outcomes",
        "SEM pictures of dentine after ultrasonic irrigation.|Scores of plaque after ultrasonic scaling.",
        "dentistry,ultrasonic irrigation,SEM", "photos zip_micro xlsx"),
    topic("phaco", "Phacoemulsification energy|Cataract surgery videos|Ultrasound power and endothelium",
        "Ultrasound energy and endothelial cell loss after cataract surgery.|"
        "Surgical microscope videos of phacoemulsification.", "cataract,phacoemulsification,surgery",
        "lecture csv xlsx"),
    topic("lithotripsy", "Shock wave lithotripsy results|Stone fragments under the microscope",
        "Stone-free rate after ultrasonic lithotripsy.|"
        "Photographs of stone fragments after ultrasound lithotripsy in vitro.", "lithotripsy,kidney stones",
        "photos xlsx csv"),
    topic("endoscopy", "Polyps in white light|Colonoscopy frames|Laparoscopic cholecystectomy video",
        "Endoscopy images with polyp masks; cases seen with ultrasound endoscopes were dropped.|"
        "Laparoscopic video frames of an ultrasonic scalpel, tools labelled.", "endoscopy,polyp,segmentation",
        "photos zip_photos lecture"),
    topic("pathology", "Breast histology slides|Thyroid cytology patches|H&E of ultrasound-guided biopsies",
        "Microscopy of ultrasound-guided core biopsies, haematoxylin and eosin.|"
        "Cytology patches of thyroid nodules, Bethesda labels.", "histopathology,biopsy,cytology",
        "zip_micro photos"),
    topic("oct", "OCT of the retina|Fundus photographs|Optical coherence tomography of coronary plaques",
        "Optical coherence tomography B-scans with layers; ultrasound biometry gave the axial length.|"
        "OCT frames of coronary arteries, without IVUS.", "OCT,B-scan,retina", "zip_oct photos"),
    topic("thermal", "Thermography of breasts|Infrared pictures of welds|Thermal imaging of transformers",
        "Infrared images; ultrasonic inspection confirmed the fault.|"
        "Breast thermograms with the result of ultrasound as label.", "thermography,infrared", "photos zip_photos"),
    topic("emg", "Surface EMG of the forearm|EEG during hand movement|Force and EMG of the calf",
        "EMG and force; an ultrasound session is described elsewhere and not shared.|"
        "Signals of wearable sensors, no images.", "EMG,force,wearables", f"csv {_SIG}"),
    topic("phono", "Heart sounds|Phonocardiogram with murmur labels|Lung auscultation",
        "Heart sound recordings, valve disease confirmed by echocardiography.|"
        "Auscultation sounds labelled from lung ultrasound findings.", "phonocardiogram,heart sound,auscultation",
        "wav zip_signals"),
    topic("fetalctg", "Cardiotocography records|Fetal heart rate by Doppler monitor|Fetal ECG abdominal",
        "Fetal heart rate traces from a Doppler ultrasound monitor, time series only.|CTG features and outcome.",
        "CTG,fetal heart rate,Doppler", "csv mat_signals zip_signals"),
    topic("lectures", "Lung ultrasound basics: recorded lecture|Ultrasound physics, course videos|"
        "Webinar on echocardiography", "Recorded talk of a speaker with slides; no dataset.|"
        "Course video for medical students on how ultrasound works, lecturer on camera.",
        "education,lecture,ultrasound", "lecture slides"),
    topic("agriculture", "Ultrasonic fuel sprays|Ultrasonic humidifier aerosol counts|"
        "Ultrasonic atomisation of {liquid}", "Droplet size of {liquid} from an ultrasonic nozzle.|"
        "Particles from ultrasonic humidifiers at home.", "atomisation,ultrasonic nozzle,aerosol", f"{_T} photos"),
    topic("sludge", "Sonication of sewage sludge|Biogas after ultrasound pretreatment|Algae lysis at {khz} kHz",
        "Methane yield after ultrasound pretreatment at {khz} kHz.|COD, turbidity and DNA of sonicated samples.",
        "sludge,ultrasound pretreatment,biogas", f"{_T} omics"),
    topic("exfoliation", "Liquid-phase exfoliation by sonication|Graphene dispersions, AFM pictures|"
        "Nanotubes dispersed with ultrasound", "AFM and TEM images of flakes after ultrasound for {n} min.|"
        "Raman spectra of sonicated dispersions.", "graphene,sonication,exfoliation", "spectra zip_micro tables"),
    topic("crystal", "Sonocrystallisation of {drug}|Ultrasound and nucleation|Melt treatment of {material}",
        "Crystal size and microscopy under ultrasound.|"
        "Micrographs of {material} alloys after ultrasonic melt treatment.", "crystallisation,ultrasonic melt "
        "treatment", _M),
    topic("machining", "Ultrasonic vibration assisted milling of {material}|Ultrasonic peening residual stress|"
        "Rotary ultrasonic drilling", "Cutting force and surface topography with ultrasonic vibration.|"
        "Roughness pictures of {material} after ultrasonic peening.", "ultrasonic machining,surface roughness",
        f"{_T} photos"),
    topic("partial", "Ultrasonic partial discharge pulses|Leak detection by ultrasound|Bearing fault sounds",
        "Airborne ultrasound of leaks and arcing, labelled audio.|Ultrasonic emission of bearings at {n} rpm.",
        "condition monitoring,ultrasonic,fault", "wav zip_signals tables"),
    topic("battery", "Ultrasonic state of charge of pouch cells|Battery acoustic signals|"
        "Lithium plating ultrasound maps", "Through-transmission ultrasound of pouch cells while cycling.|"
        "Ultrasound scan maps (images) of lithium-ion pouch cells.", "battery,ultrasonic,state of charge",
        f"{_SIG} zip_ndt"),
    topic("fruit", "Ultrasonic firmness of {plant}|Wood decay tomograms|Timber grading by ultrasound",
        "Sound velocity of fruit and firmness.|Ultrasonic tomograms of tree trunks with photographs of the cut.",
        "wood,ultrasonic,tomography", f"{_T} photos"),
    topic("genetics", "RNA-seq after ultrasound exposure|Metabolomics of {condition}|Microbiome of pregnant women",
        "Counts and metadata; gestational age came from ultrasound.|"
        "Proteomics of women with {condition}, ultrasound dated.", "RNA-seq,omics", "omics tables"),
    topic("environment", "Ultrasonic algae control in lakes|Deterrents for {bat} at wind turbines|"
        "Ultrasonic dog repellents", "Field trial of ultrasonic deterrents in {country}.|"
        "Chlorophyll before and after ultrasound buoys.", "ultrasonic deterrent,ecology", _T),
    topic("plantsound", "Cavitation clicks of drought-stressed plants|Ultrasonic sounds of tomato",
        "Ultrasonic emissions of plants recorded in a box.|Xylem cavitation by ultrasonic acoustic emission.",
        "plants,ultrasonic emission,drought", "wav tables"),
    topic("communication", "Near-ultrasound beacons|Inaudible voice commands|Ultrasonic underwater modem",
        "Recordings of near-ultrasonic beacons on phones.|Attack samples: voice commands modulated on ultrasound.",
        "acoustic communication,security,ultrasound", "wav zip_signals zip_code"),
    topic("helium", "Ultrasound attenuation in superfluids|Ultrasonic study of {material} single crystals|"
        "Elastic constants by resonant ultrasound", "Figure data for sound velocity against magnetic field, resonant "
        "ultrasound.|Pulse-echo ultrasound of single crystals at low temperature.",
        "resonant ultrasound spectroscopy,elastic constants", f"{_T} spectra"),
    topic("flow", "Ultrasonic velocity profiling of {liquid}|Ultrasonic flow meter test|"
        "Echo PIV of suspensions in a pipe", "Velocity profiles by Doppler ultrasound in a pipe loop of {liquid}.|"
        "Flow meter readings with transit-time ultrasound.", "ultrasonic velocimetry,flow,rheology", f"{_SIG} csv"),
    topic("printing", "Ultrasound-driven 3D printing|Layer defects in printed {material}|STL of probe holders",
        "CAD files of a holder for an ultrasound probe.|Photographs and strength of parts printed with ultrasound.",
        "3D printing,CAD,ultrasound probe", "cad photos tables"),
)  # fmt: skip
