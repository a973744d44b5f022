"""Kaggle's classic REST API (https://www.kaggle.com/api/v1); `kaggle_rpc` speaks the newer one."""

from __future__ import annotations

from typing import Any

from ultracurate.phantom.hosts import kaggle_data, kaggle_json, kaggle_rpc
from ultracurate.phantom.hosts.faults import Faults
from ultracurate.phantom.hosts.wire import Answer, Request, World, json_answer, redirect


class Kaggle:
    """kaggle.com: lists and views for everybody, files of gated datasets for accounts only."""

    def answer(self, request: Request, world: World) -> Answer:
        """The answer; errors carry a JSON body with their code, with 200 if the fault `error_in_200` says so."""
        rpc = kaggle_rpc.METHOD.fullmatch(request.path)
        try:
            if request.signed_in is False:
                raise kaggle_data.RefusalError(401, "Unauthorized")
            return kaggle_rpc.answer(request, world, rpc[1]) if rpc else self._rest(request, world)
        except kaggle_data.RefusalError as refusal:
            body: dict[str, Any] = {"code": refusal.status, "message": refusal.message}
            return json_answer(body, 200 if world.faults.error_in_200 else refusal.status)

    def failure(self, request: Request, faults: Faults) -> Answer:
        """What stands in for an answer when the fault `fail_first` is on: the two APIs differ."""
        if request.method == "POST":
            error = {"code": faults.fail_status, "message": "Too many requests", "status": "RESOURCE_EXHAUSTED"}
            return json_answer({"error": error}, faults.fail_status)
        return json_answer({"code": faults.fail_status, "message": "TooManyRequests"}, faults.fail_status)

    def _rest(self, request: Request, world: World) -> Answer:
        if request.method == "POST":
            raise kaggle_data.RefusalError(404, "Not found")
        parts = request.path.strip("/").split("/", 4)
        what, ref = "/".join(parts[:2]), "/".join(parts[2:4])
        if what == "datasets/list" and len(parts) == 2:
            return json_answer([kaggle_json.list_json(record, world) for record in kaggle_data.search(request, world)])
        if what == "datasets/download" and len(parts) >= 4:
            if request.method == "HEAD":
                raise kaggle_data.RefusalError(404, "Not found")
            version = request.one("datasetVersionNumber") or request.one("dataset_version_number")
            name = parts[4] if len(parts) > 4 else request.one("fileName") or request.one("file_name")
            return redirect(
                kaggle_data.download(kaggle_data.find(ref, request, world, version, files=True), name, world)
            )
        if len(parts) != 4:
            raise kaggle_data.RefusalError(404, "Not found")
        record = kaggle_data.find(
            ref, request, world, request.one("datasetVersionNumber"), files=what == "datasets/list"
        )
        if what == "datasets/list":
            size = request.number("pageSize", kaggle_json.PAGE)
            return kaggle_data.files_page(record, request.one("pageToken"), size, world)
        if what == "datasets/view":
            return json_answer(kaggle_json.view_json(record, world))
        if what == "datasets/metadata":
            return json_answer({"info": kaggle_json.info_json(record)})
        if what == "datasets/status":
            return json_answer("ready")
        raise kaggle_data.RefusalError(404, "Not found")


HOST = Kaggle()
