"""Topics of invented ultrasound deposits that are written in another language than English."""

from __future__ import annotations

from ultracurate.phantom.hosts.world_text import Topic, topic

_A = "stills zip_plain zip_named folders opaque"

DETAILS_IN: dict[str, tuple[str, ...]] = {
    "es": (
        "Contiene {m} imágenes de {n} pacientes.",
        "Las máscaras fueron trazadas por expertos.",
        "Equipo: {scanner}, sonda de {mhz} MHz.",
        "Datos anonimizados.",
        "Contacto: datos{k}@example.org",
    ),
    "de": (
        "Enthalten sind {m} Bilder von {n} Personen.",
        "Gerät: {scanner}, {mhz} MHz.",
        "Die Konturen wurden von Fachärzten gezeichnet.",
        "Alle Angaben sind anonymisiert.",
        "Rückfragen: daten{k}@example.org",
    ),
    "fr": (
        "Le jeu contient {m} images de {n} patients.",
        "Appareil : {scanner}, sonde de {mhz} MHz.",
        "Les contours ont été tracés par des experts.",
        "Données anonymisées.",
        "Contact : donnees{k}@example.org",
    ),
    "pt": (
        "São {m} imagens de {n} pacientes.",
        "Aparelho: {scanner}, transdutor de {mhz} MHz.",
        "As lesões foram delineadas por especialistas.",
        "Dados anonimizados.",
        "Contato: dados{k}@example.org",
    ),
    "zh": (
        "共{m}幅图像,来自{n}名患者。",
        "设备为{scanner},探头频率{mhz} MHz。",
        "由经验丰富的医师标注。",
        "数据已脱敏。",
        "联系邮箱:data{k}@example.org",
    ),
    "tr": (
        "{n} hastadan {m} görüntü içerir.",
        "Cihaz: {scanner}, {mhz} MHz prob.",
        "Maskeler uzman hekimlerce çizilmiştir.",
        "Veriler anonimdir.",
        "İletişim: veri{k}@example.org",
    ),
    "ru": (
        "Набор содержит {m} изображений {n} пациентов.",
        "Аппарат: {scanner}, датчик {mhz} МГц.",
        "Контуры нанесены опытными врачами.",
        "Данные обезличены.",
        "Вопросы: data{k}@example.org",
    ),
    "it": (
        "Contiene {m} immagini di {n} pazienti.",
        "Apparecchio: {scanner}, sonda da {mhz} MHz.",
        "I contorni sono stati tracciati da esperti.",
        "Dati anonimizzati.",
        "Contatti: dati{k}@example.org",
    ),
}

FOREIGN: tuple[Topic, ...] = (
    topic("es_mama", "Imágenes de mama benignas y malignas|Ecografía de mama, {country}|Nódulos mamarios",
        "Imágenes de ecografía mamaria con máscaras de las lesiones.|"
        "Ecografías de mama en modo B clasificadas según BI-RADS.", "ecografía,cáncer de mama,segmentación", _A,
        "es"),
    topic("es_feto", "Cabeza fetal en el segundo trimestre|Ecografías obstétricas", "Planos de la cabeza fetal "
        "obtenidos por ecografía.|Ecografía obstétrica con biometría fetal anotada.",
        "ecografía obstétrica,feto,ultrasonido", _A, "es"),
    topic("es_tiroides", "Nódulos de tiroides TI-RADS|Banco de ultrasonido de tiroides", "Ultrasonido de la glándula "
        "tiroides con nódulos delineados.|Imágenes de ultrasonido tiroideo, vista transversal.",
        "tiroides,ultrasonido,nódulo", _A, "es"),
    topic("de_schilddruese", "Schilddrüsenknoten|Sonographie der Schilddrüse", "Sonographie-Aufnahmen der "
        "Schilddrüse mit markierten Knoten.|Ultraschallbilder der Schilddrüse, quer und längs.",
        "Sonographie,Schilddrüse,Ultraschall", _A, "de"),
    topic("de_muskel", "Muskelquerschnitte am Oberschenkel|Ultraschall des M. vastus lateralis",
        "Ultraschallbilder des Oberschenkels mit Umriss des Muskels.|Muskelsonographie bei Gesunden, B-Bild.",
        "Ultraschall,Muskel,Sonographie", _A, "de"),
    topic("de_leber", "Fettleber im B-Bild|Lebersonographie", "Sonographische Bilder der Leber mit Steatosegrad.|"
        "Abdomensonographie: Leber und rechte Niere im selben Ultraschallbild.", "Leber,Abdomensonographie", _A,
        "de"),
    topic("fr_sein", "Lésions mammaires|Échographie du sein", "Images d'échographie mammaire avec contours des "
        "lésions.|Échographies du sein, mode B, classes bénigne et maligne.", "échographie,sein,segmentation", _A,
        "fr"),
    topic("fr_coeur", "Clips du ventricule gauche|Échocardiographie apicale", "Clips d'échocardiographie, coupes "
        "apicales quatre et deux cavités.|Échocardiographies transthoraciques avec contours de l'endocarde.",
        "échocardiographie,ventricule gauche", "clips zip_clips", "fr"),
    topic("pt_mama", "Nódulos mamários|Ultrassom de mama", "Imagens de ultrassom da mama com lesões delineadas.|"
        "Ultrassonografia mamária: benignas e malignas.", "ultrassom,ultrassonografia,mama", _A, "pt"),
    topic("pt_rim", "Cálculos renais|Ultrassonografia dos rins", "Imagens de ultrassonografia renal com e sem "
        "cálculo.|Ultrassom de rins, vista longitudinal.", "ultrassom,rim,cálculo", _A, "pt"),
    topic("zh_jiazhuangxian", "甲状腺结节超声图像|甲状腺结节数据集",
        "甲状腺结节的超声图像及分割标注。|二维超声采集的甲状腺横切面与纵切面图像。",
        "超声,甲状腺,分割", _A, "zh"),
    topic("zh_ruxian", "乳腺肿块数据|乳腺超声图像数据集",
        "乳腺肿块的B超图像,分为良性与恶性。|乳腺超声图像,含BI-RADS分级。", "超声,乳腺,良恶性", _A, "zh"),
    topic("tr_meme", "Meme lezyonları|Meme ultrason görüntüleri", "Meme ultrason görüntüleri, iyi ve kötü huylu "
        "kitleler.|Ultrasonografi ile elde edilen meme görüntüleri ve maskeler.",
        "ultrason,meme kanseri,ultrasonografi", _A, "tr"),
    topic("tr_over", "Over kistleri|Over kisti ultrason veri seti", "Over kistlerinin ultrason görüntüleri, "
        "sınıflandırılmış.|Transvajinal ultrason ile çekilmiş over görüntüleri.", "ultrason,over kisti", _A, "tr"),
    topic("ru_shchitovidka", "Узлы щитовидной железы|УЗИ щитовидной железы", "Снимки УЗИ щитовидной железы с "
        "контурами узлов.|Изображения ультразвукового исследования щитовидной железы.",
        "УЗИ,щитовидная железа,ультразвук", _A, "ru"),
    topic("ru_pechen", "Очаги печени|УЗИ печени", "Кадры УЗИ печени с разметкой очагов.|"
        "Снимки ультразвукового исследования брюшной полости.", "УЗИ,печень", _A, "ru"),
    topic("it_polmone", "Linee B nel polmone|Ecografia polmonare", "Clip di ecografia polmonare con linee B.|"
        "Ecografie del torace al letto del paziente.", "ecografia polmonare,ecografia", "clips zip_clips", "it"),
)  # fmt: skip
