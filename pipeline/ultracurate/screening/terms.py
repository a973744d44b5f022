"""The vocabulary of the subject rule: words for and against medical ultrasound images, in groups with weights.

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
    ultrason | ultrasonu | ultrasons | ultrasonde | ultrazvuk* | ultrahang* | ultraljud* | ultralyd* |
    ultradzwiek* | ultraaani* | ультразвук* | υπερηχ* | sieu am | ultragarso* | ultrazvocn* | transthoracic |
    transesophageal | transoesophageal | tte | plax | psax | a4c | a2c | apical four chamber | shear wave
    elastogra* | strain elastogra* | tongue ultrasound* | 3d ultrasound* | freehand ultrasound*
ultrasound 4.0: ultrasonogr* | ultrassonogr* | ultrasonogm* | sonogra* | sonografi* | echogra* | ecogra* | usg |
    echocardio* | ecocardio* | ehokardio* | ekokardio* | echokardio* | эхокардио* | эхо кг | эхокг | узи |
    сонограф* | эхограф* | ультрасонограф* | echosonogra* | ekografi* | ehografi* | fetosonogra* | b mode |
    bmode | b scan ultrasound | pocus | pocovid | point of care ultrasound* | transvaginal | transrectal
    ultrasound* | trus | tvus | ivus | intravascular ultrasound* | ebus | endosonogra* | endobronchial
    ultrasound* | endoscopic ultrasound* | endorectal ultrasound* | ceus | contrast enhanced ultrasound* | color
    doppler | colour doppler | power doppler | doppler color | doppler couleur | doppler ultraso* | ultrasound
    doppler | transcranial doppler | duplex ultraso* | fetal ultrasound* | obstetric ultrasound* | lung
    ultrasound* | functional ultrasound* | sonoelasto* | ultrasound imag* | ultrasound video* | ultrasound scan*
    | ultrasound frame* | ultrasound clip* | ultrasound cine* | ultrasound sequence* | ultrasound sweep* |
    medical ultrasound* | echonet | ultrasound plane* | ultrasound segmentation | ultrasound volume* |
    echogenic* | hypoechoic
ultrasound 2.5: ultrasonic imag* | ultrasonic scan* | ultrasonic video* | ultrasonic diagnos* | fetal echo |
    cardiac echo | ~ uszz | ~ us imag* | ~ echo | ~ echos | ~ doppler | ~ dopler | ~ elastogra* | ~ sonar fetal
    | ~ eco | ~ tee
ultrasound 2.0: ultrasound guided | ultrasound guidance | echoguid* | ecoguid* | ultraschallgesteuert* |
    sonographically guided | fetal head circumference | bi rads | birads | ti rads | tirads | nuchal
    translucency | fetal plane* | fetal biometr* | intima media | pubic symphysis | angle of progression | fetal
    brain plane* | polycystic ovar* | pcos | thyroid nodule* | four chamber view | fetal abdominal circumference
    | carotid plaque* | lus |
    fetal head | fetal abdom* | fetal heart | fetal brain | itkpocus
neutral 0.0: cross sectional area* | cross sectional view* | cross sectional imag*
ultrasound 1.0: ultrasonic* | ultrasonique* | ultrasonor* | ultrassonic* | ultrasonor
organ 1.5: breast* | mammary | thyroid* | liver | hepat* | kidney* | renal | spleen | splenic | pancrea* |
    gallbladder | bile duct* | biliary | bladder | prostate* | prostatic | ovar* | uter* | endometri* | cervix |
    cervical | placent* | fetal | foetal | fetus* | foetus* | fetuses | gestation* | pregnan* | obstetric* |
    prenatal | neonat* | heart | cardiac* | ventric* | atri* | mitral | aort* | valve | myocard* | septal |
    carotid* | arter* | vein* | venous | vascular | vessel* | thrombo* | plaque* | muscle* | tendon* | ligament*
    | fascicle* | aponeuros* | joint* | knee | hip | hips | shoulder* | nerve* | plexus | spine | spinal |
    vertebra* | lung* | pleura* | diaphragm* | thorac* | lymph node* | abdom* | appendic* | appendix | bowel |
    intestin* | stomach | gastric | testic* | scrot* | skin | dermat* | hemangioma* | tongue | brain* | cranial
    | eye* | orbital | salivary | parotid | rectal | colorectal | gluteal | multifidus | quadriceps |
    gastrocnemius | biceps | achilles | forearm | wrist | median | axilla* | pelvic | mama | mamaria* | mamario*
    | mammella | mammari* | brust* | sein | seins | piersi | meme | молочн* | tiroid* | tiroit | schilddrus* |
    tarczyc* | щитовид* | higado | figado | fegato | leber* | foie | hepatique* | watrob* | karaciger | печен* |
    rinon* | rins | rein | reins | niere* | nerki | bobrek* | почк* | почек | corazon | coracao | cuore | herz*
    | coeur | serca | serce | kalp | серд* | feto* | feti | fetale* | embarazo | gravidez | gravidanza |
    schwanger* | grossesse | ciaz* | plodu | gebelik | плод* | беремен* | pulmon* | polmon* | lunge* | poumon* |
    pluc | akciger | легки* | легоч* | ovario* | eierstock* | yumurtalik* | яичник* | prostata* | простат* |
    muscul* | muskel* | miesni* | kas | мышц* | arteria* | dloni | carotide* | carotida* | halsschlag* | tetnic*
    | сонн* | vesicula* | vesicule | galle* | apendic* | blinddarm* | bazo | milza
clinic 1.0: organ | organs | tissue* | fascia* | heel | cartilage* | femur* | femor* | trimest* | baby | babies |
    newborn* | women | child* | infant* | pediatric* | paediatric* | veterinar* | artery | glands | human subject* |
    patient* | clinical* | clinic | hospital* | lesion* | nodul* | tumor* | tumour* | cancer* |
    carcinom* | benign* | malign* | diagnos* | radiolog* | sonographer* | cardiolog* | gynaecolog* | gynecolog*
    | cyst* | stone* | healthy | volunteer* | anatom* | medical* | medizin* | medic* | disease* | patholog* |
    anesthes* | anaesthes* | biopsy | surg* | paciente* | patienten | pazient* | pacjent* | hasta* | пациент* |
    covid* | pneumon* | phantom* | in vivo | probe | transducer
image 1.5: image* | imaging | img* | picture* | video* | clip | clips | cine | cineloop* | frame | frames |
    footage | scan | scans | segment* | mask | masks | annotat* | landmark* | bounding box* | dicom | dcm |
    nifti | png | jpg | jpeg | bmp | mp4 | avi | imagen | imagenes | imagem | imagens | immagin* | bild |
    bilder* | bilddat* | aufnahme* | obraz* | zdjec* | goruntu* | изображен* | снимк* | кадр* | видео* | beelden
    | billede* | bilder | obrazk* | snimek | snimky | kep | kepek | imagini | images | sequence* | sequenz* |
    sweep* | sweeps | planes | view classif* | radiofrequency data | rf data | channel data | speckle
data 1.0: dataset* | data set* | database* | datenbank | datensatz* | benchmark* | challenge | corpus |
    collection | base de dados | base de datos | conjunto de datos | conjunto de dados | jeu de donnees | base
    de donnees | zbior danych | veri seti | veriseti | набор данных | датасет* | deep learning | machine
    learning | neural network* | unet | u net | cnn | classif* | detect* | label* | labell* | ground truth |
    train | test | registration | tracking | computer aided | recogni*
""")
"""For: an ultrasound modality, an organ, a clinic, images, a collection of data."""

AGAINST = table("""
chemistry and food 4.5: sonochem* | sonicat* | sonolys* | sonocrystal* | sonophotocat* | sonocatal* |
    ultrasonicat* | ultrasonication | ultrasonic extract* | power ultrasound | high power ultrasound |
    ultrasonic bath | ultrasonic clean* | ultraschallreinig*
chemistry and food 5.0: ultrasound assisted | ultrasonic assisted | ultrasonically assisted | ultrasound treated
    | ultrasonic treat* | ultrasound pretreat* | ultrasound pre treat* | ultrasonic pretreat* | ultrasound
    treat* | ultrasound extract* | asistid* por ultrasonido* | assistid* por ultrassom | assistee par ultrason*
    | ultraschallunterstutzt* | ultrason destekli
chemistry and food 3.0: polyphenol* | polifenol* | antioxidan* | emulsi* | nanoemulsion* | starch* | anthocyan*
    | biodiesel | leach* | extraction of | wastewater | sludge | adsorption | adsorb* | cataly* | crystalliz* |
    crystallis* | nanoparticle synthesis | graphene | dye | juice* | fruit* | meat | whey | milk
    protein* | soy protein* | flour | dough | drying kinetic* | hydrolysis | pectin | zeolite* | metal organic
    framework* | perovskit* | electrodeposit* | alloy* | solvent* | polymeri* | polysaccharide* | brine
testing of materials 5.0: non destructive | nondestructive | ndt | nde | weld* | ultrasonic test* | ultrasonic
    inspect* | schweiss* | soldadur* | сварн* | zerstorungsfrei* | no destructiv* | nao destrutiv* | non
    destructif* | неразруша* | дефектоскоп* | nieniszcz* | tahribatsiz
testing of materials 3.5: crack | cracks | corrosion | steel | concrete | pipeline* | railway | rail | laminate*
    | cfrp | delamination | rebar | masonry | guided wave* | lamb wave* | structural health | flaw | flaws |
    additive manufactur* | aluminium | aluminum | turbine* | bolt* | pulse velocity | p wave* | sandstone |
    rock* | granite | acoustic emission* | fatigue life | bearing fault* | casting* | adhesive* | timber | wood
    | asphalt | battery | batteries | lithium ion | wall thickness | beton | stahl | acero | hormigon | metallic
sensors and machines 5.0: ultrasonic sensor* | ultrasound sensor* | ultraschallsensor* | hc sr04 | arduino |
    range finder* | rangefinder* | ultrasonic rang* | sensor* ultrasonic* | sensor* ultrassonic* | capteur*
    ultraso* | ultrasonic motor* | ultrasonic machin* | ultrasonic vibrat* | ultrasonic weld*
sensors and machines 4.0: parking | obstacle* | mobile robot* | flow meter* | flowmeter* | anemometer* | water
    level* | levitat* | haptic* | gesture recogni* | indoor position* | indoor locali* | autonomous vehicle* |
    autonomous driv* | drone* | uav | smart bin | piezoelectric motor* | milling | grinding | drilling |
    machining | wire bonding | ultrasonic bond* | atomiz* | humidifier* | acoustic tweezer* | acoustofluid*
animal sounds 5.0: ultrasonic vocal* | ultrasound vocal* | vocalization* | vocalisation* | usv | usvs |
    echolocat* | bioacoust* | bat | bats | chiroptera*
animal sounds 4.0: cricket* | katydid* | moth | moths | dolphin* | cetacean* | frog | frogs | passive acoustic |
    acoustic monitor* | murcielago* | fledermaus* | acoustic recorder* | audiomoth | birdsong | spectrogram* |
    grasshopper* | insect* | ultrasonic call* | ultrasonic deter* | ultrasonic repel*
sea and sonar 5.0: sonar | side scan | sidescan | echo sounder* | echosounder* | hydroacoust* | bathymetr* |
    fisher* | zooplankton | seabed | underwater
sea and sonar 4.0: acoustic doppler | adcp | ocean current* | marine | fish stock* | sediment* | multibeam |
    river* | plankton | sonda*
radar, light and others 5.0: doppler radar | weather radar | micro doppler | laser doppler | doppler shift* |
    doppler spectro* | doppler lidar | radar | echo state | seismic* | seismo* | earthquake* | exoplanet* |
    galax* | stellar | doppler free | doppler broaden* | doppler effect | lidar
radar, light and others 4.0: doppler veloc* wind | wind profil* |
    stock price* | stock market* | census | spin echo | gradient echo | photon echo* |
    echo chamber* | echo dot | amazon echo | tweet* | twitter | climate | rainfall | quantum | plasma physics |
    superconduct* | bubble dynamic* | sonoluminescen* | acoustic metamaterial* | phononic
photoacoustics 3.5: photoacoustic* | photo acoustic* | optoacoustic* | thermoacoustic*
therapy 5.0: hifu | focused ultrasound | focussed ultrasound | high intensity focused | histotrips* | lipus |
    sonodynamic* | sonogenetic* | sonoporat* | ultrasound neuromodul* | ultrasonic neuromodul* | neuromodulat* |
    blood brain barrier | therapeutic ultrasound | ultrasound therap* | pulsed ultrasound | ultrasound stimulat*
    | ultrasonic stimulat* | transcranial ultrasound stimul* | low intensity pulsed | low intensity ultrasound |
    phacoemulsif*
therapy 4.0: ultrasonic scalpel | ultrasonic scaler* | shock wave* | shockwave* | lithotrips* | ultrasound
    ablation | sonothrombo* | drug delivery | drug release | ultrasound responsive | ultrasound triggered |
    ultrasound activated | ultrasound mediated | microbubble mediated | fokussierte* ultraschall | tus protocol
people asked 5.0: questionnaire* | interview* | survey on | survey of | survey data | survey response* |
    surveyed | online survey | cuestionario* | questionario* | fragebogen* | encuesta* | umfrage* | ankiet* |
    anket | опрос* | likert | attitude* | perception* | perceived | focus group* | survey | surveys
teaching 4.5: curriculum | curricula | medical student* | learner* | teaching | training course* | training
    program* | workshop | competenc* | simulator training
teaching 5.0: lecture* | webinar* | slides | slide deck | podcast* | tutorial* | course material* | poster |
    vorlesung* | video abstract | e learning
a study, not a collection 3.0: meta analysis | metaanalysis | systematic review | scoping review | literature
    review | bibliometric* | protocol for | study protocol | randomized | randomised | clinical trial | rct |
    double blind | placebo | postoperative pain | analgesi* | nerve block* | plane block*
a study, not a collection 2.5: supplementary table* | supplementary material* | supplementary file* |
    supplemental* | supporting information | raw data for | data sheet | prevalence | risk factor* | incidence |
    cross sectional | cohort study | case report* | regression analys* | cost effective*
a table 3.0: tabular | spreadsheet* | excel | spss | stata | csv file with | clinical variables | numeric
    features | wisconsin | fine needle aspirat* | laboratory values
a table 2.5: statistical analys* | anthropometr* | blood test* | biomarker* | body composition |
    patient characteristics | eeg | emg
simulated waves 3.5: finite element* | k wave | kwave | comsol | wave propagation | acoustic simulation* |
    simulated wave* | pressure field* | hydrophone* | numerical simulation*
simulated waves 3.0: acoustic hologra* | beam pattern* | acoustic field* | finite difference | transducer design
    | cmut | pmut | attenuation coefficient* | speed of sound
genes and cells 3.5: rna seq | rnaseq | scrna* | transcriptom* | proteom* | metabolom* | sequencing | gene
    expression | western blot* | flow cytomet* | qpcr | cell line*
code or a model alone 2.5: source code | software | python package | matlab code | toolbox | pretrained model* |
    model weight* | trained weight* | checkpoints | code for
text 3.0: radiology report text | text reports | report texts | corpus of reports | speech recognition | news
    article* | reddit | pubmed abstract* | patent*
""")
"""Against: other fields that use ultrasound or its words, and records that are no collection of images."""

ASIDE = """
no ultrasound* | without ultrasound* | unlike ultrasound* | than ultrasound* | instead of ultrasound* | not
ultrasound* | compared with ultrasound* | compared to ultrasound* | versus ultrasound* | vs ultrasound* | such
as ultrasound* | including ultrasound* | and ultrasound were not | or ultrasound* | confirmed by ultrasound* |
diagnosed by ultrasound* | after ultrasound* | underwent ultrasound* | underwent an ultrasound* | ultrasound
frequenc* | like ultrasound* | ultrasound was not | ultrasound were not | ultrasound findings | ultrasound
measurement*
"""
"""Ultrasound named in passing: it counts a little, whatever surrounds it."""

OTHER_MODALITIES = """
ct | ct scan* | computed tomogra* | mri |
magnetic resonance elastogra* | mr elastogra* | mr imag* | mr images | magnetic resonance | x ray* | xray* |
radiograph* | mammogra* | histopatholog* | histolog* | microscop* | whole slide | fundus | oct | optical
coherence | pet | pet ct | dermoscop* | colonoscop* | fmri | eeg | ecg | electrocardiogra* | hyperspectral |
thermogra* | thermal imag* | colposcop* | spectroscop* | retina* | retinal | dexa | cbct | fluoroscop* |
angiogra* | endoscopy | gastroscop*
"""
"""Other ways to look into a body; against where they, not ultrasound, are in the title."""

UNSPACED_FOR = table("""
ultrasound 4.0: 超声图 | 超声影像 | 超声心动 | 超声视频 | 超声检查 | 超声诊断 | b超 | 彩超 | 超声造影 | 心エコー |
    エコー画像 | 超音波画像 | 超音波検査 | 超音波診断 |
    초음파 | อัลตราซาวด์ | 多普勒 | 超声数据
ultrasound 3.0: 超声 | 超聲 | 超音波 | अल्ट्रासाउंड | সোনোগ্রাফি | আল্ট্রাসাউন্ড | سونوگرافی | سونار | سونوغرام |
    فوق الصوتية | التراساوند | السونار | אולטרסאונד | 高周波エコー
organ 1.5: 甲状腺 | 乳腺 | 乳房 | 肝 | 肾 | 腎 | 心脏 | 心臟 | 胎儿 | 胎兒 | 胎児 | 颈动脉 | 頸動脈 | 卵巢 |
    子宫 | 前列腺 | 肺 | 肌肉 | 神经 | 淋巴 | 胰
    | 胆囊 | 脾 | 심장 | 유방 | 갑상선 | 태아 | 간 | الثدي | الجنين | الكبد | الغدة
clinic 1.0: 患者 | 临床 | 病灶 | 结节 | 肿瘤 | 良性 | 恶性 | 诊断 | 医院 | 医学 | 환자 | 병변 | 進行 | 症例
image 1.5: 图像 | 图片 | 圖像 | 影像 | 视频 | 画像 | 動画 | 分割 | 标注 | 영상 | 이미지 | صور
data 1.0: 数据集 | 数据库 | 資料集 | データセット | 데이터셋 | 데이터 | مجموعة بيانات
""")
"""For, in scripts that put no blanks between words or join articles to them: looked for anywhere in the text."""

UNSPACED_AGAINST = table("""
testing of materials 5.0: 无损检测 | 探伤 | 焊接 | 焊缝 | 非破壊検査 | 缺陷检测 | 비파괴 | 钢 | 混凝土 | 复合材料
chemistry and food 5.0: 超声波清洗 | 超声辅助 | 超声提取 | 超声处理 | 超音波洗浄 | 提取工艺 | 乳液 | 超声波辅助
sensors and machines 5.0: 超声波传感 | 超声测距 | 超声波测距 | 超声电机 | 超音波センサ | 超声波加工 | 流量计
people asked 5.0: 问卷 | 調査票 | アンケート | 설문
sea and sonar 5.0: 声呐 | 聲納 | 鱼群 | ソナー
therapy 4.0: 聚焦超声 | 超声治疗 | 神经调控
""")
"""Against, in such scripts."""
