"""Frequent given names, and a few frequent family names, of several languages: facts without an owner.

Names that are also words of ultrasound, of software or of everyday English (Mark, Max, Adam, Rose, Sam, Douglas) are
left out: they would be found in half of all data sets. Without accents, in lower case.
"""

from __future__ import annotations

_NAMES = """
aaron abdullah agnieszka ahmed ahmet aisha alejandro alessandro alexander alexei anders andreas andrei andrew andrzej
angela anjali anna anthony antonio astrid ayse barbara beatriz benjamin birgit bjorn boris brenda brian brigitte
camille carlos carmen catherine celine charles chiara christian christina christine christopher cristina daniel david
deborah deepak dennis detlef diane diego dieter dimitris dmitri dmitry donald eduardo edward ekaterina elena elizabeth
elke emily emma enrique erik evelyn fatima fatma fernando florian francesca francesco francisco francois francoise
frederic friedrich gabriele galina garcia genevieve george gerald gerhard gertrud giorgos giovanni giulia giuseppe
gisela gregory guadalupe guillaume gunter guenter hannah hans hasan heike heinrich heinz helga helmut hendrik henrik
henry hildegard hiroshi holger huseyin ibrahim igor ingrid irina isabella isabelle ivan ivanov jacqueline jacques
jadwiga james janet jaroslav javier jeffrey jennifer jeroen jesper jessica joao johann johanna johannes john johnson
jonathan jorge jose joseph juan judith juergen julia julie julien jurgen justin karen katarzyna katharina katherine
kathleen katrin kenji kenneth kerstin kevin khadija khalid kimberly klaus konstantinos kristina krzysztof lakshmi lars
laura laurent lawrence lorenzo ludmila luigi luis mahmoud malgorzata manfred manuel marcin marco margaret maria
mariana markus martha maryam mary mathieu matteo matthew matthias mehmet michael michelle michiko miguel mikhail
mohamed mohammed monika monique mueller muhammad mustafa nancy natalia nathalie nguyen nicholas nicolas nicole nikolai
oksana olga olivia olivier omar pablo pamela patricia patrick paulo pavel pawel pedro peter petra philippe pierre
pieter piotr priya rachel rafael rahul rajesh ramesh rebecca renate richard robert sabine salvatore samantha samuel
sandra sandrine sanjay sarah satoshi schmidt sebastian sergei sergey silke smith sophia soren stanislaw stefan
stephanie stephen steven sunita suresh susan svetlana sven sylvie takashi tatiana teresa therese thierry thomas
thorsten tiago timothy tobias tomasz ursula uwe vaclav valerie vincenzo vladimir wang werner willem william wolfgang
yusuf zbigniew zeynep zhang zofia
"""
NAMES = frozenset(_NAMES.split())

_NOT_NAMES = """
abdomen abdominal all and annotated annotation annotations anon anonymised anonymized anonymous anterior app archive
atlas axial benign birth birthdate birthday bladder bmode born breast cardiac carotid case cases class clip clips
color colour convex coronal cyst data dataset day dicom dob doppler exam example examples export exports female fetal
figure final folder frame frames geb geboren grade heart hospital image images img info kidney label labels lateral
left lesion linear liver long longitudinal lung male malignant mask masks medial mode model muscle nerve new nodule
none normal old other ovary patient patients pelvis phantom plane posterior probe processed prostate protocol raw
release report result results right sagittal sample samples scan scans screenshot sector series session set short site
slice slices spleen split standard studies study subject supine test testing thyroid train training transversal
transverse trial tumor tumour ultrasound unknown uterus val validation ver version video videos view visit volume week
with without
"""
NOT_NAMES = frozenset(_NOT_NAMES.split())
"""Words beside a date, on both sides of a comma or in a header that are nobody's name."""
