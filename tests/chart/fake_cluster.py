"""A Kubernetes API that only answers questions: what Helm's ``lookup`` finds, with no cluster."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from harness.helm import Manifest

_GROUPS = {
    "v1": {
        "Secret": "secrets",
        "ConfigMap": "configmaps",
        "Service": "services",
        "ServiceAccount": "serviceaccounts",
    }
    | {"PersistentVolumeClaim": "persistentvolumeclaims", "Pod": "pods", "Namespace": "namespaces"},
    "apps/v1": {"StatefulSet": "statefulsets", "Deployment": "deployments"},
    "batch/v1": {"Job": "jobs", "CronJob": "cronjobs"},
    "policy/v1": {"PodDisruptionBudget": "poddisruptionbudgets"},
    "networking.k8s.io/v1": {"NetworkPolicy": "networkpolicies", "Ingress": "ingresses"},
    "autoscaling/v2": {"HorizontalPodAutoscaler": "horizontalpodautoscalers"},
}


@contextmanager
def cluster_with(objects: list[Manifest], directory: Path) -> Iterator[Path]:
    """The kubeconfig of a cluster that holds these objects, whichever namespace is asked for."""
    held = {(one["kind"], one["metadata"]["name"]): one for one in objects}

    class Api(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            status, answer = _answer(self.path.partition("?")[0].strip("/").split("/"), held)
            body = json.dumps(answer).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Api)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        path = directory / "kubeconfig"
        path.write_text(json.dumps(_kubeconfig(server.server_address[1])))
        path.chmod(0o600)
        yield path
    finally:
        server.shutdown()
        server.server_close()


def _kubeconfig(port: int) -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "fake", "cluster": {"server": f"http://127.0.0.1:{port}"}}],
        "users": [{"name": "nobody", "user": {}}],
        "contexts": [{"name": "fake", "context": {"cluster": "fake", "user": "nobody"}}],
        "current-context": "fake",
    }


def _answer(path: list[str], held: dict[tuple[str, str], Manifest]) -> tuple[int, Any]:
    match path:
        case ["version"]:
            return 200, {"major": "1", "minor": "33", "gitVersion": "v1.33.0"}
        case ["api"]:
            return 200, {"kind": "APIVersions", "versions": ["v1"]}
        case ["apis"]:
            return 200, {"kind": "APIGroupList", "apiVersion": "v1", "groups": _groups()}
        case ["api", "v1"] | ["apis", _, _]:
            return 200, _resources("/".join(path[1:]))
        case [*group, "namespaces", _, plural, name]:
            kind = _kind("/".join(group[1:]), plural)
            return (200, held[kind, name]) if (kind, name) in held else (404, _missing(plural, name))
    return 404, _missing("path", "/".join(path))


def _groups() -> list[Any]:
    found = []
    for version in _GROUPS:
        if "/" in version:
            one = {"groupVersion": version, "version": version.split("/")[1]}
            found.append({"name": version.split("/")[0], "versions": [one], "preferredVersion": one})
    return found


def _resources(version: str) -> Any:
    verbs = ["get", "list", "create", "patch"]
    resources = [
        {"name": plural, "singularName": "", "namespaced": True, "kind": kind, "verbs": verbs}
        for kind, plural in _GROUPS.get(version, {}).items()
    ]
    return {"kind": "APIResourceList", "apiVersion": "v1", "groupVersion": version, "resources": resources}


def _kind(version: str, plural: str) -> str:
    return next((kind for kind, name in _GROUPS.get(version, {}).items() if name == plural), "")


def _missing(what: str, name: str) -> Any:
    message = f'{what} "{name}" not found'
    return {
        "kind": "Status",
        "apiVersion": "v1",
        "status": "Failure",
        "reason": "NotFound",
        "code": 404,
        "message": message,
    }
