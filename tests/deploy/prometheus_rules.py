"""Reads rule files and the code whose metrics they use, and says where the two differ."""

import pathlib
import re

import yaml

_METRIC = re.compile(r"\b((?:handfast|process)_[a-z0-9_]+)\b")
_STRING = re.compile(r'"([a-z0-9_]+)"')
_SELECTOR = re.compile(r"\{([^{}]*)\}")
_MATCHER = re.compile(r'(\w+)\s*(=~|!=|=)\s*"([^"]*)"')
_BY = re.compile(r"\bby \(([^)]*)\)")
# Prometheus and the scrape itself give these.
_LABELS_OF_SCRAPE = {"job", "instance", "le"}


def read(path):
    """The rules of a file."""
    with open(path, encoding="utf-8") as file:
        return [rule for group in yaml.safe_load(file)["groups"] for rule in group["rules"]]


def _strings_of(folder):
    return {match for path in sorted(pathlib.Path(folder).glob("*.cc"))
            for match in _STRING.findall(path.read_text(encoding="utf-8"))}


class Code:
    """What the service exports, as its sources say it."""

    def __init__(self, root):
        root = pathlib.Path(root)
        self.words = _strings_of(root / "server/observe")
        self.metrics = {word for word in self.words if _METRIC.fullmatch(word)}
        self.reasons = _strings_of(root / "tls/base")
        if not self.metrics or not self.reasons:
            raise SystemExit("no metrics found in server/observe, or no reasons in tls/base")

    def has(self, metric):
        """Whether a series of this name is exported; a histogram has three."""
        return any(metric.removesuffix(suffix) in self.metrics
                   for suffix in ("", "_bucket", "_count", "_sum"))


def faults(rules, code):
    """What the rules name and nobody exports."""
    recorded = {rule["record"] for rule in rules if "record" in rule}
    for rule in rules:
        name = rule.get("record") or rule["alert"]
        expression = rule["expr"]
        for series in re.findall(r"\b[a-z_]+:[a-z0-9_]+:[a-z0-9_]+", expression):
            if series not in recorded:
                yield f"{name}: no rule records {series}"
        plain = re.sub(r"\b[a-z_]+:[a-z0-9_]+:[a-z0-9_]+", "", expression)
        for metric in _METRIC.findall(_SELECTOR.sub("", plain)):
            if not code.has(metric):
                yield f"{name}: nobody exports {metric}"
        labels = [label.strip() for group in _BY.findall(expression) for label in group.split(",")]
        for selector in _SELECTOR.findall(expression):
            for label, _, value in _MATCHER.findall(selector):
                labels.append(label)
                if label == "reason" and "refusals" not in expression:
                    yield from (f"{name}: no reason {reason}"
                                for reason in set(value.split("|")) - code.reasons)
                if label == "result" and value not in code.words:
                    yield f"{name}: no result {value}"
        for label in set(labels) - _LABELS_OF_SCRAPE - code.words:
            yield f"{name}: no label {label}"


def anchor(heading):
    """What a heading of Markdown is called in an address."""
    return re.sub(r"[^a-z0-9 -]", "", heading.lower()).replace(" ", "-")
