"""What the manifests already name: records, DOIs, slugs and names, for looking up candidates."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from ultracurate.core.dataset import DatasetManifest
from ultracurate.screening.links import of_address, of_doi
from ultracurate.screening.same import keys, record_key
from ultracurate.sources import Candidate


@dataclass(frozen=True)
class Catalogue:
    """Known datasets, ready for look-ups."""

    records: dict[tuple[str, str], str]
    """Record, as `same.keys` names it, to the slug of the dataset that uses it."""
    names: frozenset[str]
    """Titles and aliases."""
    slugs: frozenset[str]

    @classmethod
    def of(cls, manifests: Iterable[DatasetManifest]) -> Catalogue:
        """The catalogue of these manifests."""
        records: dict[tuple[str, str], str] = {}
        names: set[str] = set()
        slugs: set[str] = set()
        for manifest in manifests:
            slugs.add(manifest.slug)
            names |= {manifest.title, *manifest.aliases}
            named = [record_key(ref.host, ref.record) for ref in manifest.sources]
            for ref in manifest.sources:
                addresses = [file.url for file in ref.files if file.url] + ([ref.record] if ref.record else [])
                linked = [of_address(address) for address in addresses if "://" in address]
                named += [record_key(link.host, link.record) for link in linked if link]
            own = of_doi(manifest.doi) if manifest.doi else None
            if own is not None and own.host != "doi":  # another DOI is mostly that of a paper
                named.append(record_key(own.host, own.record))
            for key in named:
                if key is not None:
                    records.setdefault(key, manifest.slug)
        return cls(records, frozenset(names), frozenset(slugs))

    def slug(self, candidate: Candidate) -> str | None:
        """The dataset that uses this record, or another version of it as far as the ids show."""
        return next((self.records[key] for key in keys(candidate) if key in self.records), None)
