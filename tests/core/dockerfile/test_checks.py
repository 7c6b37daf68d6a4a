"""Checks of Dockerfiles: what each rule finds and leaves alone, selection, fixes and SARIF."""

from __future__ import annotations

import msgspec
import pytest

from pyd_core.dockerfile.checks.case import BaseFacts, CheckCase, read_case
from pyd_core.dockerfile.checks.finding import Finding
from pyd_core.dockerfile.checks.fixing import fix_findings
from pyd_core.dockerfile.checks.running import CheckOptions, known_rules, parse_check_options, run_checks
from pyd_core.dockerfile.checks.sarif import sarif_document
from pyd_core.errors import DockerfileError

EVERYTHING = CheckOptions(experimental=frozenset({"all"}))


def find(text: str, rule: str, *, options: CheckOptions = EVERYTHING, **facts: object) -> list[Finding]:
    case = msgspec.structs.replace(read_case(text.encode()), **facts)
    return [finding for finding in run_checks(case, options) if finding.rule == rule]


@pytest.mark.parametrize(
    ("rule", "text", "line", "message"),
    [
        ("StageNameCasing", "FROM a:1 AS Base", 1, "Stage name 'Base' should be lowercase"),
        ("FromAsCasing", "FROM a:1 as b", 1, "'as' and 'FROM' keywords' casing do not match"),
        ("NoEmptyContinuation", "FROM a:1\nRUN x \\\n\n y", 2, "Empty continuation line"),
        ("ConsistentInstructionCasing", "FROM a:1\nrun x\nUSER y", 2, "Command 'run' should match the case"),
        ("DuplicateStageName", "FROM a:1 AS b\nFROM a:1 AS B", 2, 'Duplicate stage name "B"'),
        ("ReservedStageName", "FROM a:1 AS scratch", 1, 'same name as reserved stage "scratch"'),
        ("JSONArgsRecommended", "FROM a:1\nENTRYPOINT run me", 2, "JSON arguments recommended for ENTRYPOINT"),
        ("MaintainerDeprecated", "FROM a:1\nMAINTAINER me", 2, "Maintainer instruction is deprecated"),
        ("UndefinedArgInFrom", "ARG VERSION=1\nFROM a:$VERSIN", 2, "(did you mean VERSION?)"),
        ("WorkdirRelativePath", "FROM a:1\nWORKDIR x", 2, 'Relative workdir "x"'),
        ("UndefinedVar", "FROM scratch\nCOPY $x /", 2, "Usage of undefined variable '$x'"),
        ("UndefinedVar", "FROM a:1\nENV VERSION=1\nCOPY $VERSON /", 3, "(did you mean $VERSION?)"),
        ("MultipleInstructionsDisallowed", 'FROM a:1\nCMD ["a"]\nCMD ["b"]', 2, "Multiple CMD instructions"),
        ("LegacyKeyValueFormat", "FROM a:1\nENV a b", 2, '"ENV key=value" should be used'),
        ("RedundantTargetPlatform", "FROM --platform=$TARGETPLATFORM a:1", 1, "$TARGETPLATFORM in FROM is redundant"),
        ("SecretsUsedInArgOrEnv", "FROM a:1\nENV AWS_SECRET_KEY=x", 2, '(ENV "AWS_SECRET_KEY")'),
        ("InvalidDefaultArgInFrom", "ARG TAG\nFROM a:$TAG", 2, "Default value for ARG a:$TAG results in empty"),
        ("FromPlatformFlagConstDisallowed", "FROM --platform=linux/amd64 a:1", 1, 'constant value "linux/amd64"'),
        ("InvalidDefinitionDescription", "# what\nFROM a:1 AS b", 2, "`# b <description>`"),
        ("ExposeProtoCasing", "FROM a:1\nEXPOSE 80/TcP", 2, "'80/TcP' in EXPOSE"),
        ("ExposeInvalidFormat", "FROM a:1\nEXPOSE 127.0.0.1:80:80", 2, "found '127.0.0.1:80:80'"),
        ("UnpinnedBase", "FROM a", 1, "has no tag"),
        ("UnpinnedBase", "FROM host:5000/a:latest", 1, "has the tag latest"),
        ("RunsAsRoot", "FROM a:1\nRUN x", 1, "no USER is set"),
        ("RunsAsRoot", "FROM a:1\nUSER app\nRUN x\nUSER root", 4, "runs as root"),
        ("CopyBeforeInstall", "FROM a:1\nCOPY . .\nRUN npm ci", 2, "runs `npm ci` (line 3) again"),
        ("PackageListsLeft", "FROM a:1\nRUN apt-get update && apt-get install -y x", 2, "apt's package lists"),
        ("PackageListsLeft", "FROM a:1\nRUN apk add curl", 2, "apk's index"),
        ("UnusedStage", "FROM a:1 AS b\nFROM a:1", 1, "Stage b is used by no other"),
        ("NoHealthcheck", "FROM a:1\nEXPOSE 80", 2, "has no HEALTHCHECK"),
        ("AddInsteadOfCopy", "FROM a:1\nADD x.txt /", 2, "COPY will do"),
    ],
)
def test_a_rule_finds_what_it_is_about(rule: str, text: str, line: int, message: str):
    findings = find(text, rule)
    assert [finding.span.start for finding in findings] == [line]
    assert message in findings[0].message


@pytest.mark.parametrize(
    ("rule", "text"),
    [
        ("FromAsCasing", "from a:1 as b"),
        ("ConsistentInstructionCasing", "from a:1\nrun x"),
        ("JSONArgsRecommended", 'FROM a:1\nSHELL ["/bin/bash", "-c"]\nCMD x'),
        ("UndefinedArgInFrom", "ARG A\nFROM --platform=$BUILDPLATFORM a:${A:-1}"),
        ("WorkdirRelativePath", "FROM a:1 AS b\nWORKDIR /x\nFROM b\nWORKDIR y"),
        ("UndefinedVar", "FROM a:1\nCOPY $FROM_BASE ${x:-y} /"),
        ("UndefinedVar", "FROM scratch\nARG x\nCOPY $x $PATH /"),
        ("SecretsUsedInArgOrEnv", "FROM a:1\nENV PUBLIC_KEY=x KEYBOARD=y"),
        ("InvalidDefaultArgInFrom", "ARG TAG=1\nFROM a:$TAG"),
        ("FromPlatformFlagConstDisallowed", "FROM --platform=linux/amd64 a:1 AS build-amd64"),
        ("UnpinnedBase", "FROM scratch AS a\nFROM a"),
        ("RunsAsRoot", "FROM gcr.io/distroless/static:nonroot\nCOPY a /"),
        ("CopyBeforeInstall", "FROM a:1\nCOPY package.json .\nRUN npm ci\nCOPY . ."),
        ("PackageListsLeft", "FROM a:1\nRUN --mount=type=cache,target=/var/lib/apt apt update && apt install x"),
        ("PackageListsLeft", "FROM a:1\nRUN apt update && apt install x && rm -rf /var/lib/apt/lists/*"),
        ("UnusedStage", "FROM a:1 AS b\nFROM a:1\nRUN --mount=from=b,target=/x y"),
        ("UnusedStage", "FROM a:1\nFROM a:1\nCOPY --from=0 x y"),
        ("AddInsteadOfCopy", "FROM a:1\nADD x.tar.gz https://a/b /"),
    ],
)
def test_a_rule_leaves_the_rest_alone(rule: str, text: str):
    assert find(text, rule) == []


def test_facts_of_the_base_decide_about_variables_users_and_platforms():
    facts = {0: BaseFacts(environment={"GOPATH": "/go"}, platform="linux/arm64", expected_platform="linux/amd64")}
    text = "FROM a:1\nCOPY $GOPATH $nothing /"
    assert [item.message for item in find(text, "UndefinedVar", bases=facts)] == [
        "Usage of undefined variable '$nothing'"
    ]
    assert len(find(text, "InvalidBaseImagePlatform", bases=facts)) == 1
    assert find(text, "RunsAsRoot", bases={0: BaseFacts(environment={}, user="app")}) == []


def test_ignored_files_and_a_missing_ignore_file_are_found():
    text = "FROM a:1\nCOPY secret.key a.txt /\nCOPY . /all"
    ignored = find(text, "CopyIgnoredFile", ignore_patterns=["*.key"])
    assert [finding.hint for finding in ignored] == ["the pattern *.key excludes it"]
    assert len(find(text, "MissingDockerignore", has_ignore_file=False)) == 1
    assert find(text, "MissingDockerignore", has_ignore_file=True) == []


def test_rules_are_skipped_by_directive_option_and_comment():
    text = "FROM a\n# check=skip=JSONArgsRecommended\nCMD x\n"
    assert find(text, "JSONArgsRecommended") == []
    assert find(text, "UnpinnedBase", options=parse_check_options("skip=unpinnedbase")) == []
    assert run_checks(read_case(text.encode()), parse_check_options("skip=all;error=true")) == []
    assert find("# x\nFROM a:1 AS b", "InvalidDefinitionDescription", options=CheckOptions()) == []


@pytest.mark.parametrize("text", ["skip", "drop=A", "error=perhaps"])
def test_malformed_options_are_refused(text: str):
    with pytest.raises(DockerfileError):
        parse_check_options(text)


def test_every_rule_says_why_it_matters():
    rules = known_rules()
    assert len(rules) == 30
    assert [rule.name for rule in rules if not rule.description] == []
    urls = {rule.name: rule.url for rule in rules}
    assert urls["JSONArgsRecommended"].endswith("/rule/json-args-recommended/")
    assert urls["SecretsUsedInArgOrEnv"].endswith("/rule/secrets-used-in-arg-or-env/")


def test_fixes_are_applied_until_none_is_left():
    text = (
        "from --platform=$TARGETPLATFORM a:1 as b\nENV a b c\nRUN x \\\n\n  y\nRUN apt-get update && \\\n"
        "  apt-get install -y z\nADD x.txt ./\nEXPOSE 80/TCP\nUSER q\n"
    )
    case = read_case(text.encode())
    fixed, findings = fix_findings(text.encode(), case, CheckOptions())
    assert fixed.decode() == (
        'FROM a:1 AS b\nENV a="b c"\nRUN x \\\n  y\nRUN apt-get update && \\\n'
        "  apt-get install -y z && rm -rf /var/lib/apt/lists/*\nCOPY x.txt ./\nEXPOSE 80/tcp\nUSER q\n"
    )
    assert len(findings) == 8
    again = run_checks(read_case(fixed), CheckOptions())
    assert [finding for finding in again if finding.fix is not None] == []


def test_unsafe_fixes_are_not_offered():
    texts = ["FROM a:1\nRUN apt-get update; apt-get install x || true", 'FROM a:1\nENV a "b $c"', "FROM a:1\nADD x /"]
    cases = [read_case(text.encode()) for text in texts]
    findings = [finding for case in cases for finding in run_checks(case, CheckOptions())]
    assert [finding.rule for finding in findings if finding.fix is not None] == []


def test_sarif_names_rules_files_and_lines():
    case: CheckCase = read_case(b"FROM a\nCMD x\n")
    document = sarif_document([("app/Dockerfile", run_checks(case, CheckOptions()))], version="1")
    run = document["runs"][0]
    levels = {result["ruleId"]: result["level"] for result in run["results"]}
    assert levels["JSONArgsRecommended"] == "warning"
    assert levels["UnpinnedBase"] == "note"
    location = run["results"][0]["locations"][0]["physicalLocation"]
    assert location["artifactLocation"]["uri"] == "app/Dockerfile"
    assert {rule["id"] for rule in run["tool"]["driver"]["rules"]} == set(levels)
