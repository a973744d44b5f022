"""Records about ultrasound that hold no images: words of answers, trials, tables, code, labels and reports.

Written as in `terms`. They say nothing against the matter, but that its files are hardly images.
"""

from __future__ import annotations

from ultracurate.screening.terms import table

BESIDES = table("""
people asked 4.0: questionnaire* | interview* | survey on | survey of | survey data | survey response* | surveyed |
    online survey | cuestionario* | questionario* | fragebogen* | encuesta* | umfrage* | ankiet* | anket | опрос* |
    likert | attitude* | perception* | perceived | focus group* | survey | surveys | barriers to | curriculum |
    curricula | medical student* | learner* | training course* | training program* | workshop | competenc* |
    simulator training | cost of | costs of | facility audit | access to | health services
a study, not a collection 3.0: meta analysis | metaanalysis | systematic review | scoping review | literature review
    | bibliometric* | protocol for | study protocol | randomized | randomised | clinical trial | rct | double blind
    | placebo | postoperative pain | pain score* | opioid* | analgesi* | nerve block* | plane block* | trial
a study, not a collection 2.0: supplementary table* | supplementary file* | data sheet | prevalence | risk factor* |
    incidence | cross sectional | cohort study | case report* | regression | cost effective* | nomogram* |
    reliability | repeatability | test retest | agreement between | outcome* | predictor* | icc
a table 3.5: tabular | spreadsheet* | one row | rows of | csv file with | clinical variables | numeric features |
    laboratory values | lab values | only the values | values only | measurements by | measurements of | tables |
    variables
a table 5.0: only the readings | only readings | only the numbers | numbers only | readings only | as numbers |
    numbers alone | figures only | one line a | one line per | extraction form |
    extraction sheet
a table 2.0: excel | spss | stata | statistical analys* | anthropometr* | blood test* | biomarker* | body
    composition | patient characteristics
code or a model alone 3.5: source code | python code | r code | scripts for | scripts of | code to | model files |
    software | python package | matlab code | toolbox | pretrained model* | model weight* | trained weight* | weights
    for | checkpoint* | code for | weights of
labels alone 3.0: coordinates of | lists of file | file lists | split files | corrected labels | image identifiers |
    train and test lists | polygon label* | coco annotation* | annotations of | label files | annotation
    files | json files
text 3.0: radiology report text | text reports | report texts | corpus of reports | report sentences | reports for
    nlp | structured reports | reports structured | nlp
""")
"""What a record may be beside a collection of images, with weights."""

DENIED = (
    "cannot be shared",
    "can not be shared",
    "could not be shared",
    "not part of",
    "not included",
    "stay at",
    "stays at",
    "remain at",
    "are not available",
    "is not available",
    "not shared",
    "not provided",
    "not public",
    "upon request",
    "on request only",
    "available on request",
    "not released",
    "withheld",
    "no images",
    "without images",
    "without the images",
    "only the values",
    "none are in here",
    "none is in here",
    "none are included",
    "none of them is included",
    "not in here",
    "not repeated here",
    "must be asked for",
)
"""Sentences with these words deny what they name; folded words, one blank between them."""

DENIED_AT_ALL = (
    "only the readings",
    "only readings",
    "readings only",
    "only the numbers",
    "only numbers",
    "numbers only",
    "values only",
    "only the values",
    "spreadsheets only",
    "only spreadsheets",
    "tables only",
    "only tables",
    "model files only",
    "annotation files only",
)
"""Sentences with these words say that there are no images, whatever else they name."""

UNSPACED_BESIDES = table("""
people asked 4.0: 问卷 | 調査票 | アンケート | 설문
""")
