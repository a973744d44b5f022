"""Other fields: words of those that use ultrasound, its words or its pictures for something else, and other modalities.

Written as in `terms`. A field weighs against a record by where it is named; another modality only where it, not
ultrasound, is the main matter.
"""

from __future__ import annotations

from ultracurate.screening.terms import table

AGAINST = table("""
chemistry and food 4.5: sonochem* | sonicat* | sonolys* | sonocrystal* | sonophotocat* | sonocatal* | ultrasonicat*
    | ultrasonication | ultrasonic extract* | power ultrasound | high power ultrasound | ultrasonic bath |
    ultrasonic clean* | ultraschallreinig*
chemistry and food 5.0: ultrasound assisted | ultrasonic assisted | ultrasonically assisted | ultrasound treated |
    ultrasonic treat* | ultrasound pretreat* | ultrasound pre treat* | ultrasonic pretreat* | ultrasound treat* |
    ultrasound extract* | asistid* por ultrasonido* | assistid* por ultrassom | assistee par ultrason* |
    ultraschallunterstutzt* | ultrason destekli
chemistry and food 3.0: polyphenol* | polifenol* | antioxidan* | emulsi* | nanoemulsion* | starch* | anthocyan* |
    biodiesel | leach* | extraction of | wastewater | sludge | adsorption | adsorb* | cataly* | crystalliz* |
    crystallis* | nanoparticle synthesis | graphene | dye | juice* | fruit* | meat | whey | milk protein* | soy
    protein* | flour | dough | drying kinetic* | hydrolysis | pectin | zeolite* | metal organic framework* |
    perovskit* | electrodeposit* | alloy* | solvent* | polymeri* | polysaccharide* | brine
testing of materials 5.0: non destructive | nondestructive | ndt | nde | weld* | ultrasonic test* | ultrasonic
    inspect* | schweiss* | soldadur* | сварн* | zerstorungsfrei* | no destructiv* | nao destrutiv* | non destructif*
    | неразруша* | дефектоскоп* | nieniszcz* | tahribatsiz
testing of materials 3.5: crack | cracks | corrosion | steel | concrete | pipeline* | railway | rail | laminate* | cfrp
    | delamination | rebar | masonry | guided wave* | lamb wave* | structural health | flaw | flaws | defect | defects
    | additive manufactur* | aluminium | aluminum | turbine* | bolt* | pulse velocity | p wave* | sandstone | rock* |
    granite | acoustic emission* | fatigue life | bearing fault* | casting* | adhesive* | timber | wood | asphalt |
    battery | batteries | lithium | lithium ion | pouch cell* | pipe wall thickness | beton | stahl | acero | hormigon
    | metallic
sensors and machines 5.0: ultrasonic sensor* | ultrasound sensor* | ultraschallsensor* | hc sr04 | arduino | range
    finder* | rangefinder* | ultrasonic rang* | sensor* ultrasonic* | sensor* ultrassonic* | capteur* ultraso* |
    ultrasonic motor* | ultrasonic machin* | ultrasonic vibrat* | ultrasonic weld*
sensors and machines 4.0: parking | obstacle* | mobile robot* | flow meter* | flowmeter* | anemometer* | water
    level* | levitat* | haptic* | gesture recogni* | indoor position* | indoor locali* | autonomous vehicle* |
    autonomous driv* | drone* | uav | smart bin | piezoelectric motor* | milling | grinding | drilling | machining |
    wire bonding | ultrasonic bond* | atomiz* | humidifier* | acoustic tweezer* | acoustofluid*
animal sounds 5.0: ultrasonic vocal* | ultrasound vocal* | vocalization* | vocalisation* | usv | usvs | echolocat* |
    bioacoust* | bat | bats | chiroptera*
animal sounds 4.0: cricket* | katydid* | moth | moths | dolphin* | cetacean* | frog | frogs | passive acoustic |
    acoustic monitor* | murcielago* | fledermaus* | acoustic recorder* | audiomoth | birdsong | spectrogram* |
    grasshopper* | insect* | ultrasonic call* | ultrasonic deter* | ultrasonic repel*
sea and sonar 5.0: sonar | side scan | sidescan | echo sounder* | echosounder* | hydroacoust* | bathymetr* | fisher*
    | zooplankton | seabed | underwater
sea and sonar 5.0: acoustic camera* | didson | imaging sonar | scientific echo sounder* | ecosonda*
sea and sonar 4.0: acoustic doppler | adcp | ocean current* | marine | fish stock* | sediment* | multibeam | river*
    | plankton | sonda acustica
radar, light and others 5.0: doppler radar | weather radar | micro doppler | laser doppler | doppler shift* |
    doppler spectro* | doppler lidar | radar | echo state | seismic* | seismo* | earthquake* | exoplanet* | galax* |
    stellar | doppler free | doppler broaden* | doppler effect | lidar
radar, light and others 4.0: doppler veloc* wind | wind profil* | stock price* | stock market* | census | spin echo
    | gradient echo | photon echo* | echo chamber* | echo dot | amazon echo | tweet* | twitter | climate | rainfall
    | quantum | plasma physics | superconduct* | bubble dynamic* | sonoluminescen* | acoustic metamaterial* |
    phononic
photoacoustics 3.5: photoacoustic* | photo acoustic* | optoacoustic* | thermoacoustic*
therapy 5.0: hifu | focused ultrasound | focussed ultrasound | high intensity focused | histotrips* | lipus |
    sonodynamic* | sonogenetic* | sonoporat* | ultrasound neuromodul* | ultrasonic neuromodul* | neuromodulat* |
    blood brain barrier | therapeutic ultrasound | ultrasound therap* | pulsed ultrasound | ultrasound stimulat* |
    ultrasonic stimulat* | transcranial ultrasound stimul* | low intensity pulsed | low intensity ultrasound |
    phacoemulsif*
therapy 4.0: ultrasonic scalpel | ultrasonic scaler* | shock wave* | shockwave* | lithotrips* | ultrasound ablation
    | sonothrombo* | drug deliver* | drug release | release curve* | ultrasound responsive | ultrasound triggered |
    ultrasound activated | ultrasound mediated | microbubble mediated | fokussierte* ultraschall | tus protocol
a tool, not a picture 5.0: ultrasound induced | ultrasound enhanced | ultrasound driven | ultrasound powered |
    ultrasound stimulated | ultrasound irradiat* | ultrasound expos* | ultrasound heating | ultrasound propagat* |
    ultrasound attenuat* | ultrasound wave* | ultrasound transmi* | ultrasound energy | ultrasound intensit* |
    ultrasound dos* | ultrasound field* | ultrasound gel* | ultrasound surg* | ultrasound knife | ultrasound
    irrigat* | ultrasound cavitat* | ultrasound pulse* | ultrasound bath* | ultrasound reactor* | ultrasound signal*
    | ultrasound velocit* | ultrasound communicat* | ultrasound based locali* | ultrasound position* | effect of
    ultrasound | effects of ultrasound | exposure to ultrasound | exposed to ultrasound | response to ultrasound |
    hearing of ultrasound | ultrasonic wave* | ultrasonic energy | ultrasonic field* | ultrasonic pulse* |
    ultrasonic stimul* | ultrasonic therap* | ultrasonic knife | ultrasonic transducer* | ultrasonic signal* |
    ultrasonic velocit* | ultrasonic attenuat*
teaching 4.0: basics of | basics | introduction to | how to scan | masterclass | symposium | congress | physics of |
    quiz | slides | slide deck | poster | tutorial*
teaching 7.0: lecture* | webinar* | podcast* | course material* | vorlesung* | video abstract | course video* |
    recorded talk* | recorded lecture* | lecturer | video lecture* | online course | course recording* | conference
    talk* | keynote | e learning | mooc | screencast*
simulated waves 3.5: finite element* | k wave | kwave | comsol | wave propagation | acoustic simulation* | simulated
    wave* | pressure field* | hydrophone* | numerical simulation*
simulated waves 3.0: acoustic hologra* | beam pattern* | acoustic field* | finite difference | transducer design |
    cmut | pmut | attenuation coefficient* | speed of sound
genes and cells 3.5: rna seq | rnaseq | scrna* | transcriptom* | proteom* | metabolom* | sequencing | gene
    expression | western blot* | flow cytomet* | qpcr | cell line*
chemistry and food 4.0: thermosonic* | manosonic* | ultrasonic process* | ultrasonic pasteur* | ultrasonic homogeni*
    | ultrasonic disinteg* | ultrasonic irradiat* | cavitation yield | hydrodynamic cavitat* | ultrasonic reactor* |
    sonoreactor* | ultrasound power | ultrasonic power | ultrasonic bath* | sonotrode* | sonicator* | nucleation
chemistry and food 3.0: shelf life | juices | beer | wine | winemak* | honey | edible oil* | milk | cheese | yogh* |
    yogur* | vegetable* | tomato* | potato* | seed germination | sprout* | gelatin* | gluten | enzym* | bioactive |
    phenolic* | flavonoid* | essential oil* | ionic liquid* | nanoparticle* | nanofluid* | nanomaterial* |
    photocatal* | oxidation of | degradation of | radical* | biogas | methane yield | anaerobic digest* | sewage |
    microalga* | algae | algal | chlorophyll | biofilm* | microbial count* | inactivation | crystal size* |
    crystallinity | rheolog* | viscosit* | suspension* | glycerol | droplet* | foam* | demulsif* | desulfur* |
    desalin* | membrane foul* | fouling | tenderi* | marinad* | freez* | thawing | drying | dehydrat* | textur*
    analys*
testing of materials 5.0: resonant ultrasound | resonance ultrasound | elastic constant* | single crystal* |
    superfluid* | peening | residual stress* | through transmission
testing of materials 4.0: partial discharge | leak detect* | leakage detect* | compressed air | c scan* | a scan
    signal* | flaw detect* | total focusing method | full matrix capture | weldment* | bonded joint* | coating
    thickness | thickness gaug* | thickness gauge* | damage detect* | crack detect* | impact damage | pipe wall |
    condition monitor* | predictive maintenance | transformer* oil | bearing* | gearbox* | melt treatment |
    degassing | grain refine* | velocimetr* | velocity profil* | echo piv | two phase flow | multiphase flow |
    slurry
sensors and machines 4.5: in air ultrasound | airborne ultrasound | air coupled | near ultrasound | near ultrasonic
    | mid air | inaudible | voice command* | voice assistant* | smart speaker* | smartphone* | beacon* | gesture* |
    proximity sens* | level gauge* | gauge reading* | level sensor* | snow depth | water meter* | gas meter* |
    tweezer* | standing wave* | micromanipul* | droplet generat* | modem | underwater communic* | mosquito* | pest
    control | robot navigation | slam | blind people | white cane* | presence detect* | occupancy | nebuli* | nozzle* |
    fuel spray* | aerosol*
animal sounds 4.5: whale* | porpoise* | click train* | dolphin* | hearing threshold* | hearing in | call library |
    call recording* | roost* | ultrasonic song* | stridulat* | deterrent* | mouse song* | pup call* | repellent* |
    nyctalus | pipistrell* | myotis | tadarida | rhinolophus | eptesicus | wind turbine*
sounds of the body 4.5: heart sound* | phonocardiogra* | auscultat* | stethoscop* | murmur* | lung sound* | breath
    sound* | respiratory sound* | cough* | snor* | bowel sound* | korotkoff | cardiotocogra* | ctg | tocogra* |
    fetal heart rate | voice recording* | speech recording*
cells under a microscope 4.5: cytolog* | cytopatholog* | histopatholog* | histolog* | h e | hematoxylin* |
    haematoxylin* | immunohisto* | biopsy slide* | tissue slide* | whole slide* | smear* | pap test | cell nuclei |
    blood cell* | bone marrow | micrograph* | electron microscop* | sem image* | sem picture* | sem micrograph* |
    tem image* | confocal | fluorescence | immunofluoresc* | fine needle aspirat* | wisconsin
teeth 4.5: dentistr* | dental | dentin* | enamel | tooth | teeth | root canal* | endodont* | periodont* | orthodont*
    | dental implant* | irrigant* | ultrasonic irrigat* | ultrasonic scal* | ultrasonic tip* | oral hygiene
operations 4.0: piezo surg* | piezosurg* | piezoelectric surg* | osteotom* | cataract* | lens emulsif* | laparoscop*
    | harmonic scalpel | ultrasonic dissect* | ultrasonic aspirat* | cusa | liposuction | surgical video* | robotic
    surg*
signals of the body 4.0: photoplethysm* | ppg | spirometr* | oximetr* | pulse oxim* | capnogra* | polysomnogra* |
    actigra* | accelerometer* | bioimpedance | electromyogra* | electroencephalogra* | eeg | plethysmogra* | vital
    signs | blood pressure record* | evoked potential*
bones and therapy 4.0: physiotherap* | physical therapy | laser therapy | electrotherap* | fracture heal* | bone
    heal* | bone regenerat* | wound heal* | tens therapy | hyperthermia | radiotherap* plan* | thrombolysis |
    essential tremor | thalamotomy | sonothera* | ultrasound mediated deliver* | microbubbles with | loaded carrier*
    | loaded liposom* | nanobubble* | sonosensiti* | ultrasonic treatment of | pulsed electromagn*
simulated waves 3.5: wafer* | micromachined | impedance curve* | impedance measure* | impedance of | piezoelectric |
    piezoceram* | pzt | matching layer* | resonator* | resonan* frequenc* | calibration of | metasurface*
earth and sky 4.5: bathymetr* | seafloor | sea floor | multibeam | side scan | sonar target* | river stage | water
    level* | glacier* | ice thickness | ground penetrating | borehole* | well log* | geophys* | rainfall | weather |
    snow | radio echo | ionospher* | satellite* | spectrograph* | redshift* | neutrino* | pulsar*
words 3.5: speech recogni* | news article* | reddit | pubmed abstract* | patent* | lyrics | social media | tweets |
    wikipedia | bibliometr* analys* of
things to print 4.0: 3d print* | cad model* | cad file* | stl file* | step file* | probe holder* | mould | moulds |
    mold | molds | casing | bracket*
movement 4.0: motion capture | force plate* | gait | inertial | imu | wearable* | eye track* | gaze | articulogra* |
    kinematic* | robot arm traject* | joint torque* | dynamometer*
words of medicine without its pictures 3.5: microbiome | genotyp* | snp | gwas | methylation | cytokine* | elisa | hplc
    | mass spectr* | chromatogra* | nmr | xrd | ftir | infrared spectr* | uv vis | zeta potential | afm | atomic force
    | dynamic light | in vitro | cell viabil* | cell culture* | mouse model | mice | rats | rodent* | zebrafish |
    hamster* | vole | voles | embryo cultur* | sperm* | oocyte* | ivf
light on the body 4.0: pulse wave veloc* | tonometr* | holter | telemetr* | seismocardio* | ballistocardio* |
    laryngogra* | optical flow sensor* | intraocular pressure | visual field* | corneal topogra* | perimetr*
""")
"""Fields with the weight of each."""

OTHER_MODALITIES = """
ct | ct scan* | ct volume* | ct image* | cta | computed tomogra* | mri | mr | mra | mri scan* | magnetic resonance
elastogra* | mr elastogra* | mr imag* | mr images | mr volume* | magnetic resonance | x ray* | xray* | radiograph* |
mammogra* | tomosynthesis | microscop* | fundus | oct | octa | optical coherence | pet | pet ct | spect | scintigra* |
dermoscop* | dermatoscop* | colonoscop* | fmri | fnirs | meg | ecg | ekg | electrocardiogra* | hyperspectral |
multispectral | infrared | near infrared | thermogra* | thermal imag* | thermal camera* | colposcop* | spectroscop* |
retina* | retinal | slit lamp | dexa | dxa | densitometr* | cbct | cone beam | fluoroscop* | angiogra* | endoscopy |
endoscopic image* | gastroscop* | capsule endoscop* | otoscop* | laryngoscop* | arthroscop* | hysteroscop* |
cystoscop* | photograph* | wound photo* | electrical impedance tomogra* | raman | terahertz | microwave imag* |
tomodensit* | kernspin* | magnetresonan* | rontgen* | radiografia* | panoramic radiogra* | micro ct | microct | t1
weighted | t2 weighted | dti | dwi | diffusion tensor | mammogram* | cholangiogra* | arteriogra* | venogra* | bone
scan* | gamma camera | time lapse | laparoscop* | cholecystectom* | resonancia magnetica | ressonancia magnetica |
tomografia
"""
"""Other ways to look into a body; against where they, not ultrasound, are the main matter."""

UNSPACED_AGAINST = table("""
testing of materials 5.0: 无损检测 | 探伤 | 焊接 | 焊缝 | 非破壊検査 | 缺陷检测 | 비파괴 | 钢 |
    混凝土 | 复合材料
chemistry and food 5.0: 超声波清洗 | 超声辅助 | 超声提取 | 超声处理 | 超音波洗浄 | 提取工艺 | 乳液 |
    超声波辅助
sensors and machines 5.0: 超声波传感 | 超声测距 | 超声波测距 | 超声电机 | 超音波センサ | 超声波加工 |
    流量计
sea and sonar 5.0: 声呐 | 聲納 | 鱼群 | ソナー
therapy 4.0: 聚焦超声 | 超声治疗 | 神经调控
""")
"""Fields in scripts without blanks."""
