"""The vocabulary of the subject rule: words for medical ultrasound images, in groups with weights.

An entry is a group, its weight and its terms, parted by `|`; indented lines go on with the entry above. A term is one
or more folded words (lower case, no accents; `uszz` stands for US in capitals); `*` at the end of a word stands for any
ending. `~` before a term: it counts only beside an organ, an image word or another modality. At every place of a text
the longest term wins, so `doppler radar` hides `doppler`.
"""

from __future__ import annotations

Table = tuple[tuple[str, float, tuple[str, ...]], ...]
"""Group, weight, terms."""


def table(text: str) -> Table:
    """The entries of a vocabulary written as text."""
    entries = text.strip().replace("\n    ", " ").splitlines()
    rows = []
    for entry in entries:
        head, _, terms = entry.partition(": ")
        group, _, weight = head.rpartition(" ")
        rows.append((group, float(weight), tuple(term.strip() for term in terms.split("|"))))
    return tuple(rows)


FOR = table("""
ultrasound 3.0: ultrasound* | ultra sound* | ultraschall* | ultrassom* | ultra som | ultrasonido* | ultrasuon* |
    ultrason | ultrasonu | ultrasons | ultrasonde | ultrazvuk* | ultrahang* | ultraljud* | ultralyd* | ultradzwiek*
    | ultraaani* | ультразвук* | υπερηχ* | sieu am | ultragarso* | ultrazvocn*
ultrasound 4.0: transthoracic | transesophageal | transoesophageal | tte | plax | psax | a4c | a2c | apical four
    chamber | shear wave elastogra* | strain elastogra* | tongue ultrasound* | 3d ultrasound* | ultrasonogr* |
    ultrassonogr* | ultrasonogm* | sonogra* | sonografi* | echogra* | ecogra* | usg | echocardio* | ecocardio* |
    ehokardio* | ekokardio* | echokardio* | эхокардио* | эхо кг | эхокг | узи | сонограф* | эхограф* | ультрасонограф*
    | echosonogra* | ekografi* | ehografi* | fetosonogra* | b mode | bmode | b scan ultrasound | pocus | pocovid |
    point of care ultrasound* | transvaginal | transrectal ultrasound* | trus | tvus | ivus | intravascular ultrasound*
    | ebus | endosonogra* | endobronchial ultrasound* | endoscopic ultrasound* | endorectal ultrasound* | ceus |
    contrast enhanced ultrasound* | color doppler | colour doppler | power doppler | doppler color | doppler couleur |
    transcranial doppler | duplex ultraso* | fetal ultrasound* | obstetric ultrasound* | lung ultrasound* | functional
    ultrasound* | sonoelasto* | medical ultrasound* | echonet | echogenic* | hypoechoic | hyperechoic | anechoic | b
    bild* | b modus | antenatal ultrasound* | prenatal ultrasound* | bedside ultrasound* | freehand ultrasound* | vexus
    | musculoskeletal ultrasound* | breast ultrasound* | thyroid ultrasound* | cardiac ultrasound* | vascular
    ultrasound* | abdominal ultrasound* | renal ultrasound* | muscle ultrasound* | ultrasound report* | ultrasound
    examination* | ultrasound machine* | ultrasound scanner* | intraoperative ultrasound* | intra operative ultrasound*
    | ocular ultrasound* | intestinal ultrasound* | gastric ultrasound* | bowel ultrasound* | ~ ius | handheld
    ultrasound* | hand held ultrasound* | portable ultrasound* | diagnostic ultrasound* | clinical ultrasound* | nerve
    ultrasound* | ti rads | tirads
ultrasound 4.0: ultrasound elastogra* | elastogram* | sonoelastogra*
ultrasound 3.0: ultrasound imaging | doppler ultraso* | ultrasound doppler
ultrasound 3.5: ultrasound device* | ultrasound system* | ultrasound image* | ultrasound pics | ultrasound img* |
    ultrasound video* | ultrasound scan* | ultrasound frame* | ultrasound clip* | ultrasound cine* | ultrasound
    sequence* | ultrasound sweep* | ultrasound plane* | ultrasound segmentation | ultrasound volume* | ultrasound
    picture*
ultrasound 3.5: logiq | voluson | vivid e9 | vivid e95 | epiq | affiniti | acuson | aplio | arietta | mylab | lumify |
    butterfly iq | sonosite | clarius | resona | aixplorer | esaote | medison | iu22 | sonoscape
ultrasound 3.5: cervical length | biparietal | crown rump | antral follicle* | ivc collaps* | ivc diameter | carotid
    imt | muscle thickness | fibroscan | b lines | tapse | flow mediated dilat* | lung sliding | echo intensity |
    pennation angle*
ultrasound 4.0: ultrasound screening | ultrasound training | ultrasound course* | ultrasound accuracy | ~ eus
ultrasound 3.0: nerve block* | plane block* | fascial plane | regional anesthes* | regional anaesthes* | femur length |
    estimated fetal weight | fetal weight | inferior vena cava | vena cava diameter | shear wave speed | shear wave
    veloc* | liver stiffness | transient elastogra* | strain imaging | longitudinal strain | pulsatility index |
    umbilical artery | uterine artery | gastric antrum | optic nerve sheath | median nerve cross sectional
ultrasound 2.5: ultrasonic imag* | ultrasonic scan* | ultrasonic video* | ultrasonic diagnos* | fetal echo | cardiac
    echo | ~ uszz | ~ us imag* | ~ echo | ~ echos | ~ doppler | ~ dopler | ~ elastogra* | ~ sonar fetal | ~ eco | ~
    tee
ultrasound 2.0: sonographer* | ultrasound guided | ultrasound guidance | echoguid* | ecoguid* | ultraschallgesteuert* |
    sonographically guided | fetal head circumference | bi rads | birads | nuchal translucency | fetal plane* |
    fetal biometr* | intima media | pubic symphysis | angle of progression | fetal brain plane* | polycystic ovar* |
    pcos | thyroid nodule* | four chamber view | fetal abdominal circumference | carotid plaque* | lus | fetal head
    | fetal abdom* | fetal heart | fetal brain | itkpocus
neutral 0.0: cross sectional area* | cross sectional view* | cross sectional imag*
ultrasound 1.0: ultrasonic* | ultrasonique* | ultrasonor* | ultrassonic* | ultrasonor
organ 1.5: organ | organs | multi organ | breast* | mammary | thyroid* | liver | hepat* | kidney* | renal | spleen |
    splenic | pancrea* | gallbladder | bile duct* | biliary | bladder | prostate* | prostatic | ovar* | uter* |
    endometri* | cervix | cervical | placent* | fetal | foetal | fetus* | foetus* | fetuses | gestation* | pregnan* |
    obstetric* | prenatal | neonat* | heart | cardiac* | ventric* | atri* | mitral | aort* | valve | myocard* | septal
    | carotid* | arter* | vein* | venous | vascular | vessel* | thrombo* | plaque* | muscle* | tendon* | ligament* |
    fascicle* | aponeuros* | joint* | knee | hip | hips | thigh | lower limb | rotator cuff | head circumference* |
    brain tumo* | tumour resect* | tumor resect* | glioma* | symphys* | shoulder* | nerve* | plexus | spine | spinal |
    vertebra* | lung* | pleura* | diaphragm* | thorac* | lymph node* | abdom* | appendic* | appendix | bowel |
    intestin* | stomach | gastric | testic* | scrot* | skin | dermat* | hemangioma* | tongue | brain* | cranial | eye*
    | orbital | salivary | parotid | rectal | colorectal | gluteal | multifidus | quadriceps | gastrocnemius | biceps |
    achilles | forearm | wrist | median | axilla* | pelvic | mama | mamaria* | mamario* | mammella | mammari* | brust*
    | sein | seins | piersi | meme | молочн* | tiroid* | tiroit | schilddrus* | tarczyc* | щитовид* | higado | figado |
    fegato | leber* | foie | hepatique* | watrob* | karaciger | печен* | rinon* | rins | over kist* | over goruntu* |
    yumurtalik* | rahim* | bobrek* | akciger* | kalp | rim | rein | reins | niere* | nerki | bobrek* | почк* | почек |
    corazon | coracao | cuore | herz* | coeur | serca | serce | kalp | серд* | feto* | feti | fetale* | embarazo |
    gravidez | gravidanza | schwanger* | grossesse | ciaz* | plodu | gebelik | плод* | беремен* | pulmon* | polmon* |
    lunge* | poumon* | pluc | akciger | легки* | легоч* | ovario* | eierstock* | yumurtalik* | яичник* | prostata* |
    простат* | muscul* | muskel* | miesni* | kas | мышц* | arteria* | dloni | carotide* | carotida* | halsschlag* |
    tetnic* | сонн* | vesicula* | vesicule | galle* | apendic* | blinddarm* | bazo | milza
clinic 1.0: needle* | catheter* | coronary | intima | rotator cuff | supraspinatus | bone surfaces | bronchoscop* |
    mediastin* | nodes | gland | leaflet* | endovascular | antenatal | midwi* | physician* | doctors | nurses |
    obstetrician* | intensive care | emergency department | operating theatre | ward | bedside | fluid
    responsiveness | stroke volume | anaesthetist* | follic* | ivc | cuff | fibroid* | embryo* | tissue* | fascia* |
    heel | cartilage* | femur* | femor* | veterinar* | artery | glands | clinical* | clinic | hospital* | lesion* |
    nodul* | tumor* | tumour* | cancer* | carcinom* | benign* | malign* | diagnos* | radiolog* | sonographer* |
    cardiolog* | gynaecolog* | gynecolog* | cyst* | stone* | anatom* | medical* | medizin* | medic* | disease* |
    patholog* | anesthes* | anaesthes* | biopsy | surg* | covid* | pneumon* | phantom* | in vivo
clinic 1.0: intrapartum | transperineal | intraoperative
people 1.0: pain | pain score* | opioid* | patient* | volunteer* | women | child* | infant* | newborn* | baby |
    babies | human subject* | healthy | pediatric* | paediatric* | adults | trimest* | paciente* | patienten |
    pazient* | pacjent* | hasta* | пациент* | athletes | speakers | adolescents | elderly | subjects
image 1.5: pics | stills | still images | still frames | low resolution | high resolution | super resolution |
    resolution pairs | image quality | image* | imaging | img* | picture* | video* | clip | clips | cine | cineloop* |
    frame | frames | footage | scan | scans | segment* | mask | masks | annotat* | landmark* | bounding box* | dicom |
    dcm | nifti | png | jpg | jpeg | bmp | mp4 | avi | imagen | imagenes | imagem | imagens | immagin* | bild | bilder*
    | bilddat* | aufnahme* | obraz* | zdjec* | goruntu* | изображен* | снимк* | кадр* | видео* | beelden | billede* |
    bilder | obrazk* | snimek | snimky | kep | kepek | imagini | images | sequence* | sequenz* | sweep* | sweeps |
    planes | view classif* | radiofrequency data | rf data | channel data | speckle
data 1.0: dataset* | data set* | database* | datenbank | datensatz* | benchmark* | challenge | corpus | collection |
    base de dados | base de datos | conjunto de datos | conjunto de dados | jeu de donnees | base de donnees | zbior
    danych | veri seti | veriseti | набор данных | датасет* | deep learning | machine learning | neural network* |
    unet | u net | cnn | classif* | detect* | label* | labell* | ground truth | train | test | registration |
    tracking | computer aided | recogni*
""")
"""For: an ultrasound modality, an organ, a clinic, images, a collection of data."""

UNSPACED_FOR = table("""
ultrasound 4.0: 超声图 | 超声影像 | 超声心动 | 超声视频 | 超声检查 | 超声诊断 | b超 | 彩超 | 超声造影
    | 心エコー | エコー画像 | 超音波画像 | 超音波検査 | 超音波診断 | 초음파 | อัลตราซาวด์ | 多普勒 |
    超声数据
ultrasound 3.0: 超声 | 超聲 | 超音波 | अल्ट्रासाउंड | সোনোগ্রাফি |
    আল্ট্রাসাউন্ড | سونوگرافی | سونار | سونوغرام | فوق الصوتية |
    التراساوند | السونار | אולטרסאונד | 高周波エコー
organ 1.5: 甲状腺 | 乳腺 | 乳房 | 肝 | 肾 | 腎 | 心脏 | 心臟 | 胎儿 | 胎兒 | 胎児 | 颈动脉 |
    頸動脈 | 卵巢 | 子宫 | 前列腺 | 肺 | 肌肉 | 神经 | 淋巴 | 胰 | 胆囊 | 脾 | 심장 | 유방 | 갑상선
    | 태아 | 간 | الثدي | الجنين | الكبد | الغدة
clinic 1.0: 患者 | 临床 | 病灶 | 结节 | 肿瘤 | 良性 | 恶性 | 诊断 | 医院 | 医学 | 환자 | 병변 |
    進行 | 症例
image 1.5: 图像 | 图片 | 圖像 | 影像 | 视频 | 画像 | 動画 | 分割 | 标注 | 영상 | 이미지 | صور
data 1.0: 数据集 | 数据库 | 資料集 | データセット | 데이터셋 | 데이터 | مجموعة بيانات
""")
"""For, in scripts that put no blanks between words or join articles to them: looked for anywhere in the text."""
