"""A stand-in for AWS on this host (ministack), behind a proxy that simulates what it has no containers for: the
tasks."""
import http.client
import http.server
import json
import os
import pathlib
import re
import socket
import subprocess
import tempfile
import threading
import time

import botocore.session

ROOT = pathlib.Path(__file__).resolve().parents[2]
REGION = "eu-central-1"


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Cloud:
    """`exits` maps a command's first word to its task's exit code, None if it never ends; `broken` is an image that
    never comes up; of the calls in `unsteady` every other one fails once the service has been told of a release."""

    def __init__(self):
        self.exits, self.broken, self.unsteady = {}, None, set()
        self.commands, self.calls = [], []
        self.state = tempfile.TemporaryDirectory()
        inner, port = free_port(), free_port()
        environment = {**os.environ, "GATEWAY_PORT": str(inner), "BIND_HOST": "127.0.0.1", "HOME": self.state.name, "TMPDIR": self.state.name}
        self.process = subprocess.Popen(["ministack"], env=environment, cwd=self.state.name, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        for _ in range(150):
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", inner)) == 0:
                    break
            time.sleep(0.2)
        self.inner = f"http://127.0.0.1:{inner}"  # without the proxy, which simulates an engine
        cloud = self

        class Proxy(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                link = http.client.HTTPConnection("127.0.0.1", inner, timeout=30)
                link.request("POST", self.path, body, dict(self.headers))
                answer = link.getresponse()
                status, content = answer.status, answer.read()
                link.close()
                action = self.headers.get("X-Amz-Target", "").split(".")[-1]
                cloud.calls.append(action or re.search(rb"Action=(\w+)", body)[1].decode())
                if cloud.fails(action):
                    status, content = 400, b'{"__type": "AccessDeniedException", "message": "not now"}'
                elif action in ("DescribeTasks", "DescribeServices"):
                    content = json.dumps(getattr(cloud, action)(json.loads(content))).encode()
                self.send_response(status)
                for name, value in answer.getheaders():
                    if name.lower() not in ("content-length", "transfer-encoding", "connection", "date", "server"):
                        self.send_header(name, value)
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", port), Proxy)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.environment = {
            **os.environ, "AWS_ENDPOINT_URL": f"http://127.0.0.1:{port}", "AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test",
            "AWS_DEFAULT_REGION": REGION, "DEPLOY_PAUSE_SECONDS": "0.2", "DEPLOY_WAIT_SECONDS": "20", "AWS_CONFIG_FILE": "/dev/null",
        }
        session = botocore.session.Session()
        self.client = lambda service: session.create_client(
            service, REGION, endpoint_url=self.inner, aws_access_key_id="test", aws_secret_access_key="test")
        self.ecs = self.client("ecs")

    def fails(self, action):
        return action in self.unsteady and "UpdateService" in self.calls and self.calls[self.calls.index("UpdateService"):].count(action) % 2 == 1

    def DescribeTasks(self, answer):
        for task in answer["tasks"]:
            container = next(container for container in task["containers"] if container["name"] == "api")
            command = [word for override in task["overrides"].get("containerOverrides", []) for word in override.get("command", [])]
            if command and self.exits.get(command[0], 0) is None:
                continue
            if command:
                task["lastStatus"], container["exitCode"] = "STOPPED", self.exits.get(command[0], 0)
                if command not in self.commands:
                    self.commands.append(command)
            else:
                container["networkInterfaces"] = [{"privateIpv4Address": "10.0.0.7"}]
        return answer

    def DescribeServices(self, answer):
        """As ECS does with its circuit breaker: a deployment that never comes up fails, and the previous one is put
        back."""
        for service in answer["services"]:
            newest = service["deployments"][0]
            if self.image(newest["taskDefinition"]) == self.broken:
                newest["rolloutState"] = "FAILED"
                service["deployments"].append({**newest, "status": "ACTIVE", "rolloutState": "IN_PROGRESS", "taskDefinition": self.first})
        return answer

    def image(self, definition):
        containers = self.ecs.describe_task_definition(taskDefinition=definition)["taskDefinition"]["containerDefinitions"]
        return next(container["image"] for container in containers if container["name"] == "api")

    def served(self):
        return self.image(self.ecs.describe_services(cluster="terroir-staging", services=["api"])["services"][0]["taskDefinition"])

    def prepare(self, image):
        """The service as deploy/terraform makes it, as far as a deploy needs it."""
        self.ecs.create_cluster(clusterName="terroir-staging")
        for family in ("tool", "api"):
            self.first = self.ecs.register_task_definition(
                family=f"terroir-staging-{family}", networkMode="awsvpc", requiresCompatibilities=["FARGATE"], cpu="256", memory="512",
                containerDefinitions=[
                    {"name": "proxy", "image": "haproxy:3", "essential": True},
                    {"name": "api", "image": image, "essential": True, "secrets": [{"name": "JWT_SECRET", "valueFrom": "arn:secret"}]},
                ])["taskDefinition"]["taskDefinitionArn"]
        self.ecs.create_service(
            cluster="terroir-staging", serviceName="api", taskDefinition="terroir-staging-api", desiredCount=2, launchType="FARGATE",
            networkConfiguration={"awsvpcConfiguration": {"subnets": ["subnet-1"], "securityGroups": ["sg-1"]}})
        self.client("rds").create_db_instance(
            DBInstanceIdentifier="terroir-staging", Engine="postgres", DBInstanceClass="db.t4g.small", AllocatedStorage=20,
            MasterUsername="terroir", MasterUserPassword="not-a-real-one")

    def close(self):
        self.server.shutdown()
        self.server.server_close()
        self.process.terminate()
        self.process.wait()
        self.state.cleanup()
