from __future__ import annotations

from pathlib import Path

import pytest

from ultracurate.core.errors import ConfigError
from ultracurate.core.resources import ontology_dir
from ultracurate.ontology.tree import Ontology


@pytest.mark.parametrize(
    ("file", "old", "new", "said"),
    [
        ("anatomy.yaml", "- id: brain\n", "- id: head\n", "anatomy id 'head' is given 2 times"),
        (
            "anatomy.yaml",
            "parent: thyroid\n",
            "parent: neck\n",
            "thyroid_left_lobe: expected a parent at level 'organ'",
        ),
        ("anatomy.yaml", "region: 9", "region: 8", "counts: region: expected 8 nodes, found 9"),
        ("anatomy.yaml", "implies: [heart]", "implies: [hart]", "implies 'hart', which is no node"),
        ("anatomy.yaml", "code: '69536005'", "code: '69536x05'", "SCT code '69536x05' is not well formed"),
        ("anatomy.yaml", "code: RID9080", "code: RID", "RADLEX code 'RID' is not well formed"),
        ("anatomy.yaml", "synonyms: [cranium]", "synonyms: [Thorax]", "region: the name 'thorax' belongs to"),
        ("anatomy.yaml", "source: anatomiclocations}", "source: atlas}", "which is not under 'sources'"),
        ("anatomy.yaml", "dorsum: [back]", "dorsum: [spine_region]", "region_aliases: dorsum"),
        ("views.yaml", "- id: A2C", "- id: A4C", "view 'A4C' is given 2 times"),
        ("views.yaml", "group: cardiac", "group: heart", "group 'heart' is not described"),
        ("views.yaml", "implies: [fetal_brain]", "implies: [fetal_mind]", "implies 'fetal_mind'"),
        ("pathology.yaml", "id: malignant", "id: benign", "pathology id 'benign' is given 2 times"),
        ("modality.yaml", "- id: ceus", "- id: b_mode", "modality 'b_mode' is given 2 times"),
        ("modality.yaml", "version: 0.1.0", "version: 0.2.0", "expected one version"),
        ("modality.yaml", "modalities:", "modalitys:", "Did you mean 'modalities'"),
    ],
)
def test_each_kind_of_damage_is_found(tmp_path: Path, file: str, old: str, new: str, said: str) -> None:
    for path in ontology_dir().glob("*.yaml"):
        text = path.read_text(encoding="utf-8")
        if path.name == file:
            assert old in text, f"{file} no longer holds {old!r}; choose another place to damage"
            text = text.replace(old, new, 1)
        (tmp_path / path.name).write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError, match="(?s)" + said.replace("(", r"\(")):
        Ontology.load(tmp_path)


def test_an_absent_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"anatomy\.yaml"):
        Ontology.load(tmp_path)
