"""Topics of invented deposits about diagnostic ultrasound whose files hold no picture but tables, code or weights."""

from __future__ import annotations

from ultracurate.phantom.hosts.world_text import Topic, topic

READINGS = (
    "Images were taken with a {scanner} and a {probe} probe but cannot be shared.",
    "B-mode images were read by {reader}; only the readings are given.",
    "{n} patients, {k} variables.",
    "Collected at {place} in {year}.",
    "Analysed with {software}.",
    "Missing values are empty cells.",
    "The ultrasound pictures stay at the hospital.",
    "The codebook is on the second sheet.",
    "Data behind the tables of {journal}.",
    "Ultrasound was done by {reader} ({mhz} MHz).",
    "{net} was trained on {m} images that are not part of this record.",
    "There are {n} cases, {k} of them with follow-up.",
    "A table lists age, sex and histology where known.",
    "Compared with {net}, readers were faster but less consistent.",
    "Labels follow the consensus of {reader}.",
    "Ages from {k} to {p} years, {country}.",
)
_T = "csv xlsx zip_tables sav tables zip_docs opaque_tables"
_C = "zip_code weights code"

TABLES: tuple[Topic, ...] = (
    topic("questionnaire", "Ultrasound-guided surgery questionnaire|Survey on point-of-care ultrasound training|"
        "Barriers to POCUS in the {unit}", "Answers of {n} physicians to a questionnaire about ultrasound training.|"
        "Survey on access to ultrasound machines in {country}, Likert items.", "survey,POCUS,education,ultrasound",
        _T),
    topic("osce", "Skills test after an ultrasound course|Simulator training of echocardiography: scores|"
        "Peer teaching of sonography", "Scores of {n} students before and after an ultrasound course.|"
        "Checklist points in an OSCE on abdominal sonography.", "medical education,ultrasound,simulation", _T),
    topic("reliability", "Inter-rater reliability of muscle thickness|Repeatability of carotid IMT|"
        "Test-retest of shear wave speed", "Measurements by {reader} on ultrasound images; only the values are "
        "given.|ICC of ultrasound measures in {n} volunteers.", "reliability,ultrasound,muscle thickness", _T),
    topic("outcome", "Lung ultrasound score and mortality in {condition}|Echocardiographic parameters in {condition}|"
        "Fatty liver and {condition}", "Clinical table of {n} patients with {condition} who had an ultrasound.|"
        "Ejection fraction, E/e' and outcomes of patients; echocardiography reported as numbers.",
        "cohort,echocardiography,outcome", _T),
    topic("thyroidtab", "Thyroid nodules: risk factors for malignancy|TI-RADS and cytology of {n} nodules|"
        "Thyroid nodule nomogram", "TI-RADS features as categories with cytology, one row a nodule.|"
        "Logistic regression table of sonographic features of thyroid nodules.", "thyroid nodule,TI-RADS,nomogram",
        _T),
    topic("breasttab", "Breast cancer radiomics features|BI-RADS descriptors of {n} masses|"
        "Breast ultrasound nomogram", "Radiomics features taken from breast ultrasound images; images cannot be "
        "shared.|BI-RADS descriptors and histology, one line a lesion.", "breast cancer,radiomics,ultrasound", _T),
    topic("fetaltab", "Fetal biometry tables, {country}|Estimated fetal weight and outcome|"
        "Cervical length and preterm birth", "Biparietal diameter, head circumference and femur length of {n} "
        "fetuses, in mm.|Cervical length at ultrasound and week of birth.", "fetal biometry,obstetrics,ultrasound",
        _T),
    topic("vascular", "Flow-mediated dilation values|Carotid stiffness data|Vein diameters before fistula surgery",
        "Brachial artery diameters by ultrasound before and after cuff release.|"
        "Carotid stiffness from ultrasound, numbers only.", "FMD,vascular ultrasound,endothelium", _T),
    topic("anaesthesia", "Ultrasound-guided {letter} block: pain scores|Erector spinae plane block trial|"
        "Spread and duration of nerve blocks", "Randomised trial of ultrasound-guided nerve blocks, pain and opioid "
        "use.|Block duration for {n} patients; ultrasound guidance in both arms.",
        "nerve block,randomised trial,ultrasound-guided", _T),
    topic("meta", "Meta-analysis of contrast-enhanced ultrasound|"
        "Systematic review of lung ultrasound: extraction sheet|Diagnostic accuracy of POCUS",
        "Two-by-two tables of {k} studies on ultrasound accuracy.|"
        "Search strings and extraction form of a review on ultrasound.", "meta-analysis,diagnostic "
        "accuracy,ultrasound", _T),
    topic("cost", "Cost of antenatal ultrasound in {country}|Task shifting of obstetric ultrasound|"
        "Access to sonography", "Cost and time of obstetric ultrasound by midwives.|"
        "Facility audit of ultrasound machines and probes in {country}.", "health services,antenatal care,ultrasound",
        _T),
    topic("interviews", "Interviews about first trimester scans|Parents' views of prenatal ultrasound|"
        "Sonographer burnout", "Coded answers of sonographers about strain at work.|"
        "Codes and frequencies from interviews about ultrasound screening.", "qualitative,ultrasound,sonographers",
        _T),
    topic("vexus", "VExUS grades and kidney injury|IVC collapsibility in the {unit}|Fluid responsiveness",
        "Grades and lab values of {n} patients in the {unit}; bedside ultrasound.|"
        "IVC diameter and stroke volume, one row a measurement.", "VExUS,IVC,fluid,point-of-care ultrasound", _T),
    topic("muscletab", "Fascicle length and jump height|Tendon stiffness in runners|Muscle echo intensity and age",
        "Pennation angle and torque of {n} athletes, measured on ultrasound.|Echo intensity values and strength.",
        "biomechanics,fascicle,ultrasonography", _T),
    topic("weights", "{net} weights for breast ultrasound|Pretrained model for echocardiogram segmentation|"
        "Checkpoints {abbr}{abbr2} ultrasound", "Trained weights of {net} for ultrasound segmentation; the images "
        "belong to the hospital and are not included.|"
        "Model files only. Input: ultrasound images of 256 x 256 pixels.", "pretrained model,ultrasound,segmentation",
        _C),
    topic("code", "Code for ultrasound speckle filtering|Scripts of {journal}: fetal plane classification|"
        "ultrasound-toolbox v{k}.{k}", "Python code to train {net} on ultrasound; download the images from their "
        "owners.|Scripts for figures and statistics, no data.", "software,ultrasound,deep learning", _C),
    topic("reports", "Ultrasound report sentences|Thyroid ultrasound reports for NLP|"
        "Echocardiography reports, structured", "De-identified report texts of ultrasound examinations as a table.|"
        "Report sentences with labels for language models; no images.", "NLP,radiology reports,ultrasound",
        "csv xlsx zip_tables json"),
    topic("ids", "Image identifiers and labels of a fetal study|"
        "Train and test lists for breast ultrasound benchmarks|Corrected labels of a public echo set",
        "Lists of file names and corrected labels for a public ultrasound set; the images are not repeated here.|"
        "Split files (csv) of a benchmark on ultrasound images.", "labels,benchmark,ultrasound",
        "csv zip_tables json"),
    topic("boxes", "COCO annotations of gallbladder ultrasound|Landmark coordinates of hip sonograms|"
        "Polygon labels of thyroid nodules", "Annotation files only (JSON), drawn by {reader} on ultrasound images "
        "that must be asked for elsewhere.|Landmarks in pixel coordinates without the images.",
        "annotations,landmarks,ultrasound", "json zip_json"),
)  # fmt: skip

POINTERS = (
    "The images can be downloaded from {link}.",
    "Data: {link}",
    "Due to size limits the ultrasound images are hosted at {link} and this record only keeps the description.",
    "Please get the full set here: {link}",
    "Download link ({year}): {link}",
    "This entry documents the collection; files are available under {link}",
)
OUTSIDE = (
    "https://drive.google.com/drive/folders/1{n}AbCdEf{m}",
    "https://github.com/example-lab-{k}/sono-data-{n}",
    "https://data.example.org/sets/{m}/",
    "https://osf.io/x{n}z/",
    "https://pan.example.com/s/{n}{m} (code: ab{k})",
    "https://physionet.example.org/content/echo-{n}/1.0/",
    "https://www.synapse.org/#!Synapse:syn{m}{n}",
    "https://huggingface.co/datasets/example-{k}/us-{n}",
)
FORBIDDEN = (
    "All rights reserved. No reuse of any kind is permitted.",
    "No permission is granted to download, copy or use these images for any purpose.",
    "The images may not be used, copied or redistributed; they are shown for the examination board only.",
    "© The authors. Any use, including research, is prohibited.",
)
FREE_IN_SPITE = (
    "For research and teaching only, no commercial use.",
    "Non-commercial use only.",
    "Free for academic use when {journal} is cited.",
)
