#!/usr/bin/env python3
"""The real Prometheus scrapes a real handfastd that has performed a handshake and refused one, and
evaluates our rules over what it finds."""

import json
import os
import re
import ssl
import subprocess
import sys
import unittest
import urllib.parse

import yaml

sys.dont_write_bytecode = True
import programs  # noqa: E402  (set first)

HANDFASTD = os.path.abspath("server/handfastd")
HANDFAST = os.path.abspath("client/cli/handfast")
EDGE = os.path.abspath("client/edge/handfast-edge")
RULES = os.path.abspath("deploy/prometheus/rules.yaml")
PROMETHEUS = "/usr/bin/prometheus"
PROMTOOL = "/usr/bin/promtool"

# What a peer of the edge is held to, and what the metrics then say.
GOOD = ["--tlsv1.3", "--tls13-ciphers", "TLS_AES_128_GCM_SHA256", "--curves", "X25519"]
WRONG = ["-tls1_1", "-cipher", "DEFAULT@SECLEVEL=0"]
HANDSHAKE_LABELS = ("role", "version", "cipher_suite", "group", "signature_scheme", "result",
                    "reason")
HANDSHAKES = {
    ("server", "TLSv1.3", "TLS_AES_128_GCM_SHA256", "x25519", "ecdsa_secp256r1_sha256", "success",
     "none"): "1",
    ("server", "none", "none", "none", "none", "failure", "unsupported_version"): "1",
}


def run(*command):
    """(exit code, output) of a program that ends by itself."""
    result = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                            stderr=subprocess.STDOUT, text=True, timeout=60)
    return result.returncode, result.stdout


class ScrapeTest(unittest.TestCase):

    def setUp(self):
        self.programs = programs.Programs()
        self.addCleanup(self.programs.close)
        self.handfastd, ready = self.programs.start_handfastd([HANDFASTD])
        self.admin = ready["admin"]
        (self.endpoint,) = ready["addresses"]
        self.make_key()
        self.start_edge()
        self.shake_hands()

    def must(self, *command):
        code, output = run(*command)
        self.assertEqual(0, code, output)
        return output

    def make_key(self):
        """A key with a certificate for www.test in the service's custody."""
        folder = self.programs.folder
        self.certificate = f"{folder}/www.pem"
        self.must("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
                  "ec_paramgen_curve:P-256", "-nodes", "-days", "90", "-subj", "/CN=www.test",
                  "-addext", "subjectAltName=DNS:www.test", "-keyout", f"{folder}/www.key",
                  "-out", self.certificate)
        self.must(HANDFAST, "--endpoint", self.endpoint, "keys", "import", "--id", "www",
                  "--default", "--key-file", f"{folder}/www.key",
                  "--chain-file", self.certificate)

    def start_edge(self):
        """An edge before a web server; its port is self.port."""
        page = self.programs.folder / "page"
        page.mkdir()
        (page / "index.html").write_text("a page\n", encoding="utf-8")
        backend = f"127.0.0.1:{programs.free_port()}"
        self.programs.start("backend", [
            sys.executable, "-m", "http.server", "--bind", "127.0.0.1", "--directory", str(page),
            backend.rpartition(":")[2]])
        self.programs.wait_for(lambda: programs.get(f"http://{backend}/")[0] == 200, "backend")
        self.edge = self.programs.start("edge", [
            EDGE, "--endpoint", self.endpoint, "--listen", "127.0.0.1:0", "--backend", backend,
            "--log-format", "json"])
        serving = self.programs.wait_for(
            lambda: re.search(r'"listen":"127\.0\.0\.1:(\d+)"', self.programs.log("edge")), "edge")
        self.port = serving.group(1)

    def shake_hands(self):
        """Once well, and once in vain."""
        page = self.must("curl", "--disable", "--silent", "--show-error", "--noproxy", "*",
                         "--cacert", self.certificate, *GOOD,
                         "--resolve", f"www.test:{self.port}:127.0.0.1",
                         f"https://www.test:{self.port}/")
        self.assertEqual("a page\n", page)
        code, output = run("openssl", "s_client", "-connect", f"127.0.0.1:{self.port}", *WRONG)
        self.assertNotEqual(0, code)
        self.assertIn("alert protocol version", output)

    def start_prometheus(self):
        config = self.programs.folder / "prometheus.yaml"
        config.write_text(yaml.safe_dump({
            "global": {"scrape_interval": "1s", "evaluation_interval": "1s"},
            "rule_files": [RULES],
            "scrape_configs": [{"job_name": "handfastd",
                                "static_configs": [{"targets": [self.admin]}]}],
        }), encoding="utf-8")
        address = f"127.0.0.1:{programs.free_port()}"
        self.programs.start("prometheus", [
            PROMETHEUS, f"--config.file={config}", f"--web.listen-address={address}",
            f"--storage.tsdb.path={self.programs.folder}/tsdb", "--log.level=warn"])
        self.api = f"http://{address}/api/v1/"

    def ask(self, path, **parameters):
        """The data of an answer of Prometheus's API; None while there is none."""
        status, body = programs.get(self.api + path + "?" + urllib.parse.urlencode(parameters))
        return json.loads(body)["data"] if status == 200 else None

    def query(self, expression):
        data = self.ask("query", query=expression)
        return data["result"] if data else None

    def values(self, expression, *labels):
        """{the values of these labels: the sample's value} of all that the expression finds."""
        samples = self.query(expression)
        found = {tuple(sample["metric"][label] for label in labels): sample["value"][1]
                 for sample in samples}
        self.assertEqual(len(samples), len(found), "there are more labels than these")
        return found

    def test_prometheus_scrapes_and_evaluates(self):
        self.start_prometheus()
        self.programs.wait_for(lambda: self.query('up{job="handfastd"} == 1'), "successful scrape")
        (build,) = self.programs.wait_for(lambda: self.query("handfast_build_info"), "build info")
        version = subprocess.run([HANDFASTD, "--version"], check=True, capture_output=True,
                                 text=True, timeout=60).stdout.split()[-1]
        self.assertEqual(version, build["metric"]["version"])
        self.assertEqual("1", build["value"][1])

        self.programs.wait_for(lambda: self.query("instance:process_open_fds:ratio"),
                               "recorded series")
        rules = [rule for group in self.ask("rules")["groups"] for rule in group["rules"]]
        self.assertTrue(rules)
        self.assertEqual([], [(rule["name"], rule.get("lastError")) for rule in rules
                              if rule["health"] not in ("ok", "unknown")])
        firing = [alert["labels"]["alertname"] for alert in self.ask("alerts")["alerts"]
                  if alert["state"] == "firing"]
        self.assertEqual([], firing)

        # Negative control: what is gone is seen to be gone.
        self.assertEqual(0, self.programs.stop(self.handfastd))
        self.programs.wait_for(lambda: self.query('up{job="handfastd"} == 0'), "failed scrape")

    def test_prometheus_has_what_the_handshakes_left(self):
        self.start_prometheus()
        self.programs.wait_for(lambda: self.query("handfast_handshakes_total"), "handshakes")
        self.assertEqual(HANDSHAKES,
                         self.values("handfast_handshakes_total", *HANDSHAKE_LABELS))
        for series in ("count", 'bucket{le="+Inf"}'):
            self.assertEqual(
                {("server", "success"): "1", ("server", "failure"): "1"},
                self.values(f"handfast_handshake_duration_seconds_{series}", "role", "result"))
            self.assertEqual(
                {("sign", "ecdsa", "success"): "1"},
                self.values(f"handfast_private_key_operation_duration_seconds_{series}",
                            "operation", "key_type", "result"))
        # There, and with no handshake in it: absent would look the same to whoever adds it up.
        self.assertEqual({(): "0"}, self.values("handfast_live_handshakes"))

        rpcs = self.values("handfast_rpcs_total", "method", "code")
        self.assertEqual("1", rpcs["/handfast.v1.KeyService/ImportKey", "OK"])

        end = self.must("openssl", "x509", "-in", self.certificate, "-noout", "-enddate")
        not_after = ssl.cert_time_to_seconds(end.strip().partition("=")[2])
        self.assertEqual(
            {(): str(not_after)}, self.values("handfast_certificate_not_after_timestamp_seconds"))
        self.assertEqual({(): "1"}, self.values("handfast_served_certificates"))

        # A call is counted when it ends, and the edge keeps one for all its handshakes.
        relay = 'handfast_rpcs_total{method="/handfast.v1.HandshakeService/Relay"}'
        self.assertEqual({}, self.values(relay))
        self.assertEqual(0, self.programs.stop(self.edge))
        self.programs.wait_for(lambda: self.query(relay), "end of the edge's call")

    def test_promtool_finds_no_fault_in_the_metrics(self):
        status, text = programs.get(f"http://{self.admin}/metrics")
        self.assertEqual(200, status)
        self.assertEqual((0, ""), self.lint(text))
        self.assertNotEqual(0, self.lint(text.replace("# HELP handfast_build_info", "# x"))[0])

    def lint(self, text):
        result = subprocess.run([PROMTOOL, "check", "metrics"], input=text, capture_output=True,
                                text=True, timeout=60)
        return result.returncode, result.stdout + result.stderr


if __name__ == "__main__":
    for program in (PROMETHEUS, PROMTOOL):
        if not os.access(program, os.X_OK):
            print(f"SKIP: {program} (package prometheus) is not installed")
            sys.exit(0)
    unittest.main()
