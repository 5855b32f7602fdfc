"""What is declared about the types must be true of the registry schemas, and complete."""

from __future__ import annotations

import re
from datetime import date

import pytest

from policyengine.catalog import registry
from policyengine.catalog.derive import VIEWS
from policyengine.catalog.notes import EXTRA_NOTES, extra_note
from policyengine.catalog.schema import parse_kind, split_path

AWS_PAGE = re.compile(r"https://(docs\.aws\.amazon\.com|aws\.amazon\.com/(about-aws|blogs))/[\w./-]+")
TYPES = sorted(registry.declared_types())


def spec_of(name):
    spec = registry.spec(name)
    assert spec is not None
    return spec


def has(type_name, path):
    schema = registry.schema(type_name)
    return schema is not None and schema.kind(split_path(path)) is not None


@pytest.mark.parametrize("name", TYPES)
def test_every_path_of_a_declaration_exists(name):
    spec = spec_of(name)
    own = [*spec.names, *(d.path for d in spec.defaults), *(u for d in spec.defaults for u in d.unless)]
    own += [r.via for r in spec.relations if r.via]
    own += [s.into for s in spec.satellites]
    assert [p for p in own if not has(name, p)] == []


@pytest.mark.parametrize("name", TYPES)
def test_every_relation_reaches_a_covered_type_by_paths_it_has(name):
    for relation in spec_of(name).relations:
        assert relation.to in TYPES, relation
        assert not relation.by or has(relation.to, relation.by), relation
        assert not relation.key or has(relation.to, relation.key), relation
        assert not (relation.via and relation.by), relation


@pytest.mark.parametrize("name", TYPES)
def test_names_of_relations_and_defaults_are_unique(name):
    spec = spec_of(name)
    for names in (
        [r.name for r in spec.relations],
        [d.path for d in spec.defaults],
        [p for p, _ in spec.extra],
    ):
        assert sorted(set(names)) == sorted(names)


@pytest.mark.parametrize("name", TYPES)
def test_every_default_names_a_page_of_aws_and_its_dates_are_dates(name):
    for default in spec_of(name).defaults:
        assert AWS_PAGE.fullmatch(default.source), default
        assert default.since is None or date.fromisoformat(f"{default.since}-01"[:10])
        assert bool(default.note) == default.depends, f"{default}: a note goes with `depends`"
        assert default.depends == (default.value is None), default


def template_reference_pages():
    """Every page of the template reference that can exist: a resource, or a definition of one."""
    for name, data in registry.schema_data().items():
        stem = "-".join(part.lower() for part in name.split("::"))
        stem = stem.removeprefix("aws-")
        yield f"aws-resource-{stem}"
        for definition in data.get("d", {}):
            yield f"aws-properties-{stem}-{definition.lower()}"


def test_every_page_of_the_template_reference_is_about_a_type_or_a_definition():
    known = set(template_reference_pages())
    cited = {d.source for name in TYPES for d in spec_of(name).defaults if "/TemplateReference/" in d.source}
    pages = {source.rsplit("/", 1)[1].removesuffix(".html") for source in cited}
    assert sorted(pages - known) == []


def kind_fits(kind, value):
    if kind.name == "boolean":
        return isinstance(value, bool)
    if kind.name in ("integer", "number"):
        return isinstance(value, int) and not isinstance(value, bool)
    if kind.name == "list":
        return isinstance(value, list) and all(kind_fits(kind.element, v) for v in value)
    if kind.name == "string":
        return isinstance(value, str | int) and not isinstance(value, bool)
    return True


@pytest.mark.parametrize("name", TYPES)
def test_every_default_has_the_kind_of_its_property(name):
    schema = registry.schema(name)
    wrong = [
        d.path
        for d in spec_of(name).defaults
        if not d.depends and not kind_fits(schema.kind(split_path(d.path)), d.value)
    ]
    assert wrong == []


@pytest.mark.parametrize("name", TYPES)
def test_every_extra_property_has_a_kind_and_says_where_it_comes_from(name):
    for path, kind in spec_of(name).extra:
        parse_kind(kind)
        assert extra_note(name, path), f"{name} {path} has no note in catalog/notes.py"


def test_every_note_is_about_a_property_that_is_declared():
    for name, notes in EXTRA_NOTES.items():
        if name == "*":
            continue
        firsts = {path.split(".", 1)[0] for path, _ in spec_of(name).extra}
        assert {n for n in notes if n} <= firsts, name
        assert firsts, name


@pytest.mark.parametrize("name", TYPES)
def test_a_type_that_the_registry_lacks_is_declared_by_extra_properties(name):
    in_registry = bool(registry.schema(name).primary)
    assert in_registry or spec_of(name).extra


def test_satellites_are_named_by_a_property_they_have():
    schemas = registry.schema_data()
    for satellite_type, parents in registry.satellites().items():
        for parent, satellite in parents:
            assert satellite.by in schemas[satellite_type]["p"], (satellite_type, parent)


def test_no_relation_reaches_a_type_that_is_always_folded_away():
    """A folded satellite is no resource any more, so a relation to it would find nothing."""
    reached = {r.to for name in TYPES for r in spec_of(name).relations}
    assert reached & set(registry.satellites()) == set()


def test_views_are_declared_properties():
    for name, views in VIEWS.items():
        for view in views:
            assert has(name, view.source), (name, view)
            assert has(name, view.into), (name, view)


@pytest.mark.parametrize(
    ("type_name", "path", "kind"),
    [
        ("AWS::S3::Bucket", "PublicAccessBlockConfiguration.BlockPublicAcls", "boolean"),
        ("AWS::S3::Bucket", "BucketEncryption.ServerSideEncryptionConfiguration", "list of object"),
        ("AWS::S3::Bucket", "VersioningConfiguration.MfaDelete", "string"),
        ("AWS::S3::Bucket", "VersioningConfiguration.Status", "string"),
        ("AWS::S3::Bucket", "related.policies.PolicyDocument.Statement", "json"),
        ("AWS::EC2::SecurityGroup", "SecurityGroupIngress.FromPort", "integer"),
        ("AWS::EC2::RouteTable", "related.routes.GatewayId", "string"),
        ("AWS::ElasticLoadBalancingV2::LoadBalancer", 'Attributes."access_logs.s3.enabled"', "boolean"),
        ("AWS::ElasticLoadBalancingV2::LoadBalancer", 'Attributes."something.new"', "string"),
        ("AWS::ElasticLoadBalancingV2::LoadBalancer", "Attributes", "map of string"),
        (
            "AWS::SecretsManager::Secret",
            "related.rotation_schedules.RotationRules.AutomaticallyAfterDays",
            "integer",
        ),
        ("AWS::IAM::User", "related.access_keys.LastUsedDate", "string"),
        ("AWS::WAFv2::WebACL", "Rules.Statement.NotStatement.Statement.NotStatement", "object"),
        ("AWS::EC2::Image", "BlockDeviceMappings.Ebs.Encrypted", "boolean"),
        ("AWS::EC2::Image", "BlockDeviceMappings.*.Ebs.Encrypted", "boolean"),
        ("AWS::EC2::Image", "BlockDeviceMappings.*", "object"),
        ("AWS::EC2::Instance", "SecurityGroupIds.*", "string"),
        ("AWS::::Account", "PasswordPolicy.MinimumPasswordLength", "integer"),
        ("PolicyEngine::Account::Region", "EbsEncryptionByDefault", "boolean"),
    ],
)
def test_the_kind_of_a_path(type_name, path, kind):
    assert str(registry.schema(type_name).kind(split_path(path))) == kind


@pytest.mark.parametrize("path", ["Bucketname", "BucketEncryption.Nope", "BucketName.X", "related.nope"])
def test_a_path_that_is_not_there_has_no_kind(path):
    assert registry.schema("AWS::S3::Bucket").kind(split_path(path)) is None


def test_children_are_what_a_path_may_go_on_with():
    schema = registry.schema("AWS::S3::Bucket")
    assert schema.children(("related",)) == ("policies",)
    assert "SSEAlgorithm" in schema.children(
        ("BucketEncryption", "ServerSideEncryptionConfiguration", "ServerSideEncryptionByDefault")
    )
    assert schema.children(("BucketName",)) == ()


@pytest.mark.parametrize("text", ["", ".", "A..B", 'A."b', 'A."b"c', '"".A'])
def test_a_path_that_cannot_be_read_is_refused(text):
    with pytest.raises(ValueError):
        split_path(text)
