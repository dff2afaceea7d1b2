"""Rules for the manifests, checked on kustomize's output, and proof that each rule notices a broken line."""
import contextlib
import copy
import io
import json
import pathlib
import re
import shutil
import subprocess
import tempfile
import unittest

import kubernetes_validate
import yaml

from bench.scaling import model
from Tests.Pipeline import scraped_metrics
from Tests.Pipeline.network_policies import allows, refused
from Tests.settings import kinds, listed

ROOT = pathlib.Path(__file__).resolve().parents[2]
VERSION = "1.32"
# Custom resources, whose schemas are not part of Kubernetes: only their first level is checked.
CUSTOM = {
    "Cluster": {"imageName", "instances", "primaryUpdateStrategy", "enableSuperuserAccess", "bootstrap", "managed", "postgresql", "storage", "walStorage",
                "resources", "inheritedMetadata", "affinity", "plugins", "monitoring", "externalClusters"},
    "ObjectStore": {"retentionPolicy", "configuration"},
    "ScheduledBackup": {"schedule", "immediate", "cluster", "backupOwnerReference", "method", "pluginConfiguration"},
    "ServiceMonitor": {"selector", "jobLabel", "endpoints"},
    "PodMonitor": {"selector", "podMetricsEndpoints"},
    "PrometheusRule": {"groups"},
}
# Below these, keys are free text.
FREE = {"labels", "matchLabels", "annotations", "data", "requests", "limits", "podSelector", "namespaceSelector"}
# Settings of the server: those that the base sets, and those that need not be secret.
FITTED, SECRET = kinds()
OPEN = listed() - SECRET


def built(overlay, root=ROOT):
    text = subprocess.run(["kubectl", "kustomize", root / "deploy/kubernetes/overlays" / overlay], check=True, capture_output=True, text=True).stdout
    return list(yaml.safe_load_all(text))


def pods(document):
    """The pod specification of a workload, or None."""
    spec = document.get("spec") or {}
    template = spec.get("jobTemplate", {}).get("spec", spec).get("template")
    return [template] if template else []


judged = {}  # validating is slow, and most documents are checked repeatedly


def secrets_of(document):
    """The secret keys that a resource requires: namespace, secret, key."""
    def within(value):
        if isinstance(value, list):
            for inner in value:
                yield from within(inner)
        elif isinstance(value, dict):
            for key, inner in value.items():
                if key == "secret" and "items" in inner:
                    yield from ((inner["name"], item["key"]) for item in inner["items"])
                elif key in ("passwordSecret", "secret") and not inner.get("optional"):  # of basic-auth, as the operator reads them
                    yield from ((inner["name"], part) for part in ("username", "password"))
                elif key in ("accessKeyId", "secretAccessKey"):
                    yield inner["name"], inner["key"]
                else:
                    yield from within(inner)
    return {(document["metadata"].get("namespace"), *found) for found in within(document.get("spec"))}


def schema_fault(document):
    text = json.dumps(document, sort_keys=True)
    if text not in judged:
        judged[text] = judge(document)
    return judged[text]


def judge(document):
    if document["kind"] in CUSTOM:
        return sorted(set(document["spec"]) - CUSTOM[document["kind"]])
    try:
        with contextlib.redirect_stdout(io.StringIO()):
            kubernetes_validate.validate(document, VERSION, strict=True)
    except Exception as fault:  # an unknown kind is a fault as much as a wrong field
        return [str(fault).splitlines()[0]]
    return []


def pod_faults(name, pod):
    spec, found = pod["spec"], []
    context = spec.get("securityContext", {})
    wanted = {"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}}
    found += [f"{name}: the pod's {key} is not {value}" for key, value in wanted.items() if context.get(key) != value]
    found += [f"{name}: {key} is root" for key in ("runAsUser", "runAsGroup") if context.get(key, 0) == 0]
    if spec.get("enableServiceLinks") is not False or "automountServiceAccountToken" not in spec:
        found.append(f"{name}: enableServiceLinks is not false, or automountServiceAccountToken is not set")
    found += [f"{name}: {key}" for key in ("hostNetwork", "hostPID", "hostIPC") if spec.get(key)]
    found += [f"{name}: mounts the host's files" for volume in spec.get("volumes", []) if "hostPath" in volume]
    for container in spec["containers"] + spec.get("initContainers", []):
        wanted = {"allowPrivilegeEscalation": False, "readOnlyRootFilesystem": True, "capabilities": {"drop": ["ALL"]}}
        own = container.get("securityContext", {})
        found += [f"{name}: the container's {key} is not {value}" for key, value in wanted.items() if own.get(key) != value]
        for kind in ("requests", "limits"):
            found += [f"{name}: no {kind} of {what}" for what in ("cpu", "memory") if what not in container.get("resources", {}).get(kind, {})]
        if not re.search(r"@sha256:[0-9a-f]{64}$|^alpine/k8s:\d+\.\d+\.\d+$", container["image"]):
            found.append(f"{name}: the image {container['image']} is not pinned")
    return found


def server_faults(document, settings):
    spec = document["spec"]
    template = spec["template"]["spec"]
    server = template["containers"][0]
    found = []
    if "replicas" in spec:
        found.append("the deployment fights with its autoscaler over the number of replicas")
    if spec.get("strategy", {}).get("rollingUpdate") != {"maxUnavailable": 0, "maxSurge": 1}:
        found.append("a rollout takes servers away before new ones serve")
    probes = {"startupProbe": "/startupz", "livenessProbe": "/livez", "readinessProbe": "/readyz"}
    found += [f"{probe} does not request {path}" for probe, path in probes.items() if server.get(probe, {}).get("httpGet", {}).get("path") != path]
    if template.get("terminationGracePeriodSeconds", 30) < int(settings.get("SHUTDOWN_DRAIN_SECONDS", 0)) + 20 + 10:
        found.append("the server is killed before it has drained")
    if server.get("lifecycle"):
        found.append("the image has no shell for a hook")
    spread = {constraint["topologyKey"] for constraint in template.get("topologySpreadConstraints", [])}
    if spread != {"topology.kubernetes.io/zone", "kubernetes.io/hostname"}:
        found.append("all servers may run on one node")
    return found


def faults(documents):
    found = []
    names = {(document["kind"], document["metadata"].get("namespace"), document["metadata"]["name"]) for document in documents}
    labels = [pod["metadata"]["labels"] for document in documents for pod in pods(document)]
    denied = set()
    for document in documents:
        kind, namespace, name = document["kind"], document["metadata"].get("namespace"), document["metadata"]["name"]
        found += [f"{kind} {name}: {fault}" for fault in schema_fault(document)]
        if kind == "Namespace" and document["metadata"].get("labels", {}).get("pod-security.kubernetes.io/enforce") != "restricted":
            found.append(f"{name} does not enforce the restricted pod security standard")
        for pod in pods(document):
            found += pod_faults(name, pod)
            if ("ServiceAccount", namespace, pod["spec"].get("serviceAccountName")) not in names:
                found.append(f"{name}: no such account")
            for container in pod["spec"]["containers"]:
                found += [f"{name}: no ConfigMap {source['configMapRef']['name']}" for source in container.get("envFrom", [])
                          if ("ConfigMap", namespace, source["configMapRef"]["name"]) not in names]
                found += [f"{name}: {variable['name']} is in plain text" for variable in container.get("env", [])
                          if re.search("SECRET|PASSWORD|TOKEN|_URL", variable["name"]) and not variable["name"].endswith("_FILE")]
        if kind == "ConfigMap":
            found += [f"{name}: {key} is in plain text" for key in document["data"]
                      if key not in OPEN and (key in SECRET or re.search("SECRET|PASSWORD|TOKEN|KEY", key)) and not key.endswith("_FILE")]
        selector = document.get("spec", {}).get("selector") or {}
        selector = selector.get("matchLabels", selector) if kind in ("Service", "PodDisruptionBudget", "Deployment") else {}
        if selector and not any(selector.items() <= each.items() for each in labels):
            found.append(f"{kind} {name} selects no pod")
        if kind == "Job" and document["spec"].get("activeDeadlineSeconds", 0) < 12 * 3600:
            found.append(f"{name}: an index that takes longer to build is never there, since each attempt begins anew")
        if kind == "Ingress":
            said = document["metadata"]["annotations"]
            if said.get("nginx.ingress.kubernetes.io/affinity") != "cookie":
                found.append(f"{name}: during a rollout a page may get the scripts of two releases")
            if int(said.get("nginx.ingress.kubernetes.io/proxy-send-timeout", "60")) < 600:
                found.append(f"{name}: an import ends while the server stores a part of it")
            if said.get("nginx.ingress.kubernetes.io/session-cookie-change-on-failure") != "true":
                found.append(f"{name}: a browser stays with a pod that is gone")
        if kind == "HorizontalPodAutoscaler":
            target = document["spec"]["scaleTargetRef"]
            if (target["kind"], namespace, target["name"]) not in names:
                found.append(f"{kind} {name} scales nothing")
        if kind == "NetworkPolicy" and document["spec"].get("podSelector") == {} and set(document["spec"].get("policyTypes", [])) == {"Ingress", "Egress"}:
            denied.add(namespace)
    settings = next(document["data"] for document in documents if document["kind"] == "ConfigMap" and document["metadata"]["name"].startswith("api-"))
    for document in documents:
        if document["kind"] == "Deployment":
            found += server_faults(document, settings)
        if document["kind"] == "Namespace" and document["metadata"]["name"] not in denied:
            found.append(f"in {document['metadata']['name']} every pod may connect to every other one")
    return found + refused(documents)


def places(value, path=(), free=False):
    """The paths of a document's keys that the schema, not the author, names."""
    if isinstance(value, dict):
        for key, inner in value.items():
            if not free:
                yield (*path, key)
            yield from places(inner, (*path, key), key in FREE)
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from places(inner, (*path, index))


def reach(document, path):
    for part in path:
        document = document[part]
    return document


class KubernetesPolicy(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.overlays = {overlay: built(overlay) for overlay in ("dev", "staging", "production")}

    def test_every_overlay_keeps_the_rules(self):
        for overlay, documents in self.overlays.items():
            with self.subTest(overlay=overlay):
                self.assertEqual(faults(documents), [])

    def test_each_removed_line_of_a_security_context_is_noticed(self):
        count = 0
        for index, document in enumerate(self.overlays["production"]):
            for path in places(document):
                if "securityContext" not in path[:-1] and path[-1] != "securityContext" or path[-1] == "fsGroup":
                    continue
                changed = list(self.overlays["production"])
                changed[index] = copy.deepcopy(document)
                del reach(changed[index], path[:-1])[path[-1]]
                count += 1
                with self.subTest(kind=document["kind"], path=path):
                    self.assertNotEqual(faults(changed), [])
        self.assertGreater(count, 30)

    def test_each_misspelt_field_is_noticed(self):
        seen = set()
        for document in self.overlays["production"]:
            for path in places(document):
                if path[0] != "spec" or len(path) < 2 or (document["kind"] in CUSTOM and len(path) > 2):
                    continue
                if document["kind"] == "Service" and path[1] == "selector" and len(path) > 2:
                    continue
                field = (document["kind"], tuple(part for part in path if isinstance(part, str)))
                if field in seen:
                    continue
                seen.add(field)
                changed = copy.deepcopy(document)
                parent = reach(changed, path[:-1])
                parent[f"{path[-1]}x"] = parent.pop(path[-1])
                with self.subTest(kind=document["kind"], path=path):
                    self.assertNotEqual(schema_fault(changed), [])
        self.assertGreater(len(seen), 200)

    def test_other_slips_are_noticed(self):
        def broken(kind, change):
            documents = copy.deepcopy(self.overlays["production"])
            change(next(document for document in documents if document["kind"] == kind))
            return faults(documents)

        def server(document):
            return document["spec"]["template"]["spec"]["containers"][0]
        slips = {
            "is not pinned": ("Deployment", lambda it: server(it).update(image="ghcr.io/example/terroir:1.2.3")),
            "is not pinned ": ("CronJob", lambda it: pods(it)[0]["spec"]["containers"][0].update(image="alpine/k8s")),
            "fights with": ("Deployment", lambda it: it["spec"].update(replicas=3)),
            "does not request /readyz": ("Deployment", lambda it: server(it)["readinessProbe"]["httpGet"].update(path="/health")),
            "killed before": ("Deployment", lambda it: it["spec"]["template"]["spec"].update(terminationGracePeriodSeconds=30)),
            "no limits of memory": ("Deployment", lambda it: server(it)["resources"]["limits"].pop("memory")),
            "is in plain text": ("ConfigMap", lambda it: it["data"].update(JWT_SECRET="x")),
            "is in plain text ": ("ConfigMap", lambda it: it["data"].update(DATABASE_REPLICA_URL="x")),
            "selects no pod": ("PodDisruptionBudget", lambda it: it["spec"]["selector"]["matchLabels"].update({"app.kubernetes.io/component": "apy"})),
            "scales nothing": ("HorizontalPodAutoscaler", lambda it: it["spec"]["scaleTargetRef"].update(name="apy")),
            "does not enforce": ("Namespace", lambda it: it["metadata"]["labels"].update({"pod-security.kubernetes.io/enforce": "baseline"})),
            "on one node": ("Deployment", lambda it: it["spec"]["template"]["spec"].pop("topologySpreadConstraints")),
            "before new ones": ("Deployment", lambda it: it["spec"].pop("strategy")),
            "scripts of two": ("Ingress", lambda it: it["metadata"]["annotations"].pop("nginx.ingress.kubernetes.io/affinity")),
            "that is gone": ("Ingress", lambda it: it["metadata"]["annotations"].pop("nginx.ingress.kubernetes.io/session-cookie-change-on-failure")),
            "the host's files": ("Deployment", lambda it: it["spec"]["template"]["spec"]["volumes"].append({"name": "h", "hostPath": {"path": "/"}})),
        }
        for fault, (kind, change) in slips.items():
            with self.subTest(fault=fault):
                self.assertIn(fault.strip(), " ".join(broken(kind, change)))
        without = [document for document in self.overlays["production"] if document["kind"] != "NetworkPolicy"]
        self.assertIn("every pod may connect", " ".join(faults(without)))

    def test_who_has_to_talk_may_and_nobody_else(self):
        api, redis, challenge = ({"app.kubernetes.io/component": "api"}, {"terroir/store": "redis"}, {"acme.cert-manager.io/http01-solver": "true"})
        postgres, stranger = {"terroir/store": "postgres"}, {"app.kubernetes.io/component": "other"}
        for direction, labels, other, port, wanted in (
                ("Egress", api, redis, 6379, True), ("Ingress", redis, api, 6379, True), ("Ingress", redis, stranger, 6379, False),
                ("Ingress", redis, redis, 26379, True), ("Egress", redis, redis, 6379, True), ("Ingress", redis, "monitoring", 9121, True),
                ("Ingress", redis, "ingress-nginx", 6379, False), ("Egress", redis, None, 443, False),
                ("Egress", api, postgres, 5432, True), ("Ingress", postgres, api, 5432, True), ("Ingress", postgres, stranger, 5432, False),
                ("Ingress", challenge, "ingress-nginx", 8089, True), ("Ingress", challenge, "monitoring", 8089, False), ("Ingress", challenge, api, 8089, False),
                *(("Egress", api, None, port, True) for port in (443, 465, 587)), ("Egress", api, None, 25, False)):
            with self.subTest(direction=direction, labels=labels, other=other, port=port):
                self.assertEqual(allows(self.overlays["production"], direction, labels, other, port), wanted)
        without = [document for document in self.overlays["production"] if document["metadata"]["name"] != "redis"]
        self.assertIn("does not let", " ".join(faults(without)))

    def test_each_setting_of_the_servers_may_stand_in_an_overlay_or_in_a_secret(self):
        given = {name: "given" for name in OPEN - FITTED - {"ENVIRONMENT"}}
        given |= {f"{name}_FILE": f"/secrets/{name.lower()}" for name in SECRET - {"DATABASE_URL", "REDIS_URL", "JWT_SECRET"}}
        with tempfile.TemporaryDirectory() as folder:
            copy = pathlib.Path(folder)
            shutil.copytree(ROOT / "deploy/kubernetes", copy / "deploy/kubernetes")
            overlay = copy / "deploy/kubernetes/overlays/production/kustomization.yaml"
            literals = [f"{name}={value}" for name, value in given.items()]
            overlay.write_text(overlay.read_text().replace("[ENVIRONMENT=production]", json.dumps(["ENVIRONMENT=production", *literals])))
            documents = built("production", copy)
        self.assertEqual(faults(documents), [])
        maps = {document["metadata"]["name"]: document["data"] for document in documents if document["kind"] == "ConfigMap"}
        for kind in ("Deployment", "Job"):
            pod = next(document for document in documents if document["kind"] == kind)["spec"]["template"]["spec"]
            server = pod["containers"][0]
            environment = {name: value for source in server["envFrom"] for name, value in maps[source["configMapRef"]["name"]].items()}
            environment |= {variable["name"]: variable["value"] for variable in server["env"]}
            with self.subTest(kind=kind):
                self.assertEqual({name for name in listed() if name not in environment and f"{name}_FILE" not in environment} - FITTED, set())
                self.assertEqual({name: environment.get(name) for name in given}, given)
                mounted = {mount["mountPath"]: mount["name"] for mount in server["volumeMounts"]}["/secrets"]
                sources = next(volume for volume in pod["volumes"] if volume["name"] == mounted)["projected"]["sources"]
                self.assertIn({"name": "settings", "optional": True}, [source["secret"] for source in sources])

    def test_the_first_time_is_in_an_order_that_works(self):
        """Postgres before its clients, and every required secret before its reader."""
        section = re.search(r"(?s)## Before the first time\n(.*?)\n##", (ROOT / "docs/kubernetes.md").read_text())[1]
        left = set(re.findall(r"app\.kubernetes\.io/component!=(\w+)", section))
        first = [document for document in self.overlays["production"]
                 if document["metadata"].get("labels", {}).get("app.kubernetes.io/component") not in left]
        self.assertEqual({document["kind"] for document in first} & {"Deployment", "Job"}, set())
        waited = re.findall(r"kubectl -n (\S+) wait --for=condition=Ready \S+ cluster/(\S+)", section)
        self.assertEqual(waited, [(document["metadata"]["namespace"], document["metadata"]["name"]) for document in first if document["kind"] == "Cluster"])
        made = {(namespace, name, key) for namespace, name, options in re.findall(r"(?s)kubectl -n (\S+) create secret generic (\S+) (.*?[^\\])\n", section)
                for key in re.findall(r"--from-(?:file|literal)=(\w+)", options)}
        self.assertEqual(made, {secret for document in self.overlays["production"] for secret in secrets_of(document)})

    def test_what_alerts_go_by_is_said_here_or_named_as_missing(self):
        beginnings, jobs = scraped_metrics.named()
        for overlay, documents in self.overlays.items():
            with self.subTest(overlay=overlay):
                samples, job = scraped_metrics.postgres(documents)
                asked, missed = scraped_metrics.asked(documents)
                missing = {name for name in asked - {sample["__name__"] for sample in samples} if not scraped_metrics.of_servers(name)}
                self.assertEqual({name for name in missing if not name.startswith(tuple(beginnings))}, set())
                self.assertEqual({begin for begin in beginnings if not any(name.startswith(begin) for name in missing)}, set())
                self.assertEqual(missed - jobs, {job})
                self.assertIn({"__name__": "terroir_backup_last_success_timestamp_seconds", "store": "postgres"}, samples)
                self.assertEqual([sample for sample in samples if sample["__name__"] == "pg_settings_max_connections"],
                                 [{"__name__": "pg_settings_max_connections", "name": "max_connections"}])

    def test_as_many_servers_as_there_may_be_find_their_connections(self):
        for overlay, documents in self.overlays.items():
            of = {document["kind"]: document.get("spec") for document in documents if document["metadata"].get("namespace") == "terroir"}
            with self.subTest(overlay=overlay):
                self.assertEqual(of["Deployment"]["template"]["spec"]["containers"][0]["resources"]["limits"]["cpu"], "500m")  # one loop
                servers = of["HorizontalPodAutoscaler"]["maxReplicas"] + of["Deployment"]["strategy"]["rollingUpdate"]["maxSurge"]
                held = int(of["Cluster"]["postgresql"]["parameters"]["max_connections"]) - 10  # the operator's own, and backups
                self.assertLessEqual(servers * (2 * model.LOOP_CONNECTIONS + 1), held)

    def test_production_has_one_in_each_zone_and_somebody_to_wait_for(self):
        of = {document["kind"]: document for document in self.overlays["production"] if document["metadata"].get("namespace") == "terroir"}
        self.assertGreaterEqual(of["HorizontalPodAutoscaler"]["spec"]["minReplicas"], 3)
        self.assertEqual(of["Cluster"]["spec"]["instances"], 3)
        self.assertEqual(of["Cluster"]["spec"]["postgresql"]["synchronous"]["number"], 1)
        self.assertEqual(of["ScheduledBackup"]["spec"]["schedule"], "0 0 2 * * *")
