"""Kaggle's newer API, as its official clients speak it: POST /{service}/{Method} with a JSON or form body."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qs

from ultracurate.phantom.hosts import kaggle_data, kaggle_json
from ultracurate.phantom.hosts.wire import Answer, Request, World, json_answer, redirect

METHOD = re.compile(r"/datasets\.DatasetApiService/(\w{1,60})")


def answer(request: Request, world: World, method: str) -> Answer:
    """The answer to one call; raises `kaggle_data.RefusalError`."""
    if request.method != "POST":
        raise kaggle_data.RefusalError(404, "Not found")
    fields = _fields(request)
    # The two APIs take the same words: the older one's in the query, this one's in the body.
    asked = replace(request, query={name: [str(value)] for name, value in fields.items() if value is not None})
    if method == "ListDatasets":
        page = [kaggle_json.list_json(record, world) for record in kaggle_data.search(asked, world)]
        return json_answer({"datasets": page, "nextPageToken": ""})
    ref = f"{asked.one('ownerSlug')}/{asked.one('datasetSlug')}"
    version, wants_files = asked.one("datasetVersionNumber"), method in ("ListDatasetFiles", "DownloadDataset")
    record = kaggle_data.find(ref, asked, world, "" if version == "0" else version, files=wants_files)
    if method == "GetDataset":
        return json_answer(kaggle_json.view_json(record, world))
    if method == "GetDatasetMetadata":
        return json_answer({"info": kaggle_json.info_json(record), "errorMessage": ""})
    if method == "GetDatasetStatus":
        return json_answer({"status": "READY"})
    if method == "ListDatasetFiles":
        size = asked.number("pageSize", kaggle_json.PAGE)
        return kaggle_data.files_page(record, asked.one("pageToken"), size, world)
    if method == "DownloadDataset":
        return redirect(kaggle_data.download(record, asked.one("fileName"), world))
    raise kaggle_data.RefusalError(404, "Not found")


def _fields(request: Request) -> dict[str, Any]:
    """The fields of a call, in camelCase however they were written."""
    data = request.json()
    if not isinstance(data, dict):
        form = parse_qs(request.body.decode("utf-8", "replace"), keep_blank_values=True)
        data = {name: values[-1] for name, values in form.items()}
    return {re.sub(r"_(\w)", lambda match: match[1].upper(), str(name)): value for name, value in data.items()}
