"""SNS, SQS and EventBridge over HTTP, what moto lacks with answers as AWS documents them."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from policyengine.model.values import Unresolved
from tests.live.conftest import MOTO_ACCOUNT, failure
from tests.live.judging import verdict

QUEUE, TOPIC, SUBSCRIPTION = "AWS::SQS::Queue", "AWS::SNS::Topic", "AWS::SNS::Subscription"
RULE, BUS, SCHEDULE = "AWS::Events::Rule", "AWS::Events::EventBus", "AWS::Scheduler::Schedule"


def _public(action: str, resource: str) -> str:
    statement = {"Effect": "Allow", "Principal": "*", "Action": action, "Resource": resource}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def test_queues(account: Any, aws: Any, collect: Any) -> None:
    region = "eu-west-1"
    sqs = aws("sqs", region)
    dead = sqs.create_queue(QueueName="dead")["QueueUrl"]
    arn = f"arn:aws:sqs:{region}:{MOTO_ACCOUNT}"
    attributes = {
        "KmsMasterKeyId": "alias/mine", "VisibilityTimeout": "45", "DelaySeconds": "5",
        "RedrivePolicy": json.dumps({"deadLetterTargetArn": f"{arn}:dead", "maxReceiveCount": 3}),
        "Policy": _public("sqs:SendMessage", f"{arn}:work"),
    }  # fmt: skip
    sqs.create_queue(QueueName="work", Attributes=attributes, tags={"Owner": "me"})
    found = {r.properties["QueueName"]: r for r in collect(account, QUEUE, region=region)}
    work, plain = found["work"], found["dead"]
    p = work.properties
    assert (plain.id, work.arn, work.tags) == (dead, f"{arn}:work", {"Owner": "me"})
    assert (p["VisibilityTimeout"], p["DelaySeconds"]) == (45, 5)
    assert p["RedrivePolicy"]["deadLetterTargetArn"] == f"{arn}:dead"
    assert p["CreatedTimestamp"].endswith("Z")
    (policy,) = work.related["policies"]
    assert policy["Queues"] == [work.id]
    assert plain.related == {"policies": []}
    for name in ("KmsMasterKeyId", "RedrivePolicy", "RedriveAllowPolicy"):
        assert name not in plain.properties, name
    assert verdict("sqs-queue-policy-not-public", work) == "FAIL"
    assert verdict("sqs-queue-policy-not-public", plain) == "PASS"
    assert verdict("sqs-encrypted", work) == "PASS"
    assert set(collect.last.whole) == {QUEUE, "AWS::SQS::QueuePolicy", "AWS::SQS::QueueInlinePolicy"}


def test_a_queue_that_shows_nothing_has_no_policy_known(canned: Callable[..., Any], collect: Any) -> None:
    url = "https://sqs.us-east-1.amazonaws.com/123456789012/hidden"
    account = canned({
        "sqs:ListQueues": {"QueueUrls": [url]},
        "sqs:GetQueueAttributes": failure("sqs:GetQueueAttributes", "AccessDenied"),
        "sqs:ListQueueTags": {},
    })  # fmt: skip
    (queue,) = collect(account, QUEUE)
    assert isinstance(queue.related["policies"], Unresolved)
    for rule in ("sqs-queue-policy-not-public", "sqs-encrypted"):
        assert verdict(rule, queue) == "UNKNOWN", rule
    assert queue.properties["QueueName"] == "hidden"
    assert collect.last.whole == (QUEUE,)
    gone = failure("sqs:GetQueueAttributes", "AWS.SimpleQueueService.NonExistentQueue", "read_error")
    account.answers = {**account.answers, "sqs:GetQueueAttributes": gone}
    assert collect(account, QUEUE) == []
    assert not collect.last.failures


def test_topics_and_subscriptions(account: Any, aws: Any, collect: Any) -> None:
    region = "eu-west-2"
    sns = aws("sns", region)
    arn = f"arn:aws:sns:{region}:{MOTO_ACCOUNT}:news"
    attributes = {
        "KmsMasterKeyId": "alias/mine", "Policy": _public("sns:Publish", arn),
        "LambdaFailureFeedbackRoleArn": "arn:aws:iam::123456789012:role/feedback",
    }  # fmt: skip
    sns.create_topic(Name="news", Attributes=attributes, Tags=[{"Key": "Owner", "Value": "me"}])
    plain_arn = sns.create_topic(Name="plain")["TopicArn"]
    news, plain = sorted(collect(account, TOPIC, region=region), key=lambda r: r.id)
    assert (news.id, news.arn, news.tags) == (arn, arn, {"Owner": "me"})
    p = news.properties
    assert (p["TopicName"], p["KmsMasterKeyId"], p["SubscriptionsConfirmed"]) == ("news", "alias/mine", 0)
    (policy,) = news.related["policies"]
    assert policy["Topics"] == [arn]
    for name in ("KmsMasterKeyId", "DeliveryStatusLogging"):
        assert name not in plain.properties, name
    assert (verdict("sns-topic-policy-not-public", news), verdict("sns-encrypted", plain)) == ("FAIL", "FAIL")
    assert verdict("sns-encrypted", news) == "PASS"
    redrive = {"deadLetterTargetArn": f"arn:aws:sqs:{region}:{MOTO_ACCOUNT}:dead"}
    sns.subscribe(
        TopicArn=plain_arn, Protocol="sqs", Endpoint=f"arn:aws:sqs:{region}:{MOTO_ACCOUNT}:q",
        Attributes={"RedrivePolicy": json.dumps(redrive), "RawMessageDelivery": "true"},
    )  # fmt: skip
    sns.subscribe(TopicArn=plain_arn, Protocol="http", Endpoint="http://example.com")
    found = {r.properties["Protocol"]: r for r in collect(account, SUBSCRIPTION, region=region)}
    queue = found["sqs"].properties
    assert (queue["RedrivePolicy"], queue["RawMessageDelivery"]) == (redrive, True)
    assert found["sqs"].arn == queue["Arn"]
    assert "FilterPolicy" not in queue
    assert verdict("sns-subscription-https", found["http"]) == "FAIL"


def test_a_scan_for_tags_reads_no_attributes(canned: Callable[..., Any], collect: Any) -> None:
    url, arn = "https://sqs.us-east-1.amazonaws.com/123456789012/q", "arn:aws:sns:us-east-1:123456789012:t"
    account = canned({
        "sqs:ListQueues": {"QueueUrls": [url]},
        "sqs:ListQueueTags": {"Tags": {"a": "b"}},
        "sns:ListTopics": {"Topics": [{"TopicArn": arn}]},
        "sns:ListTagsForResource": {"Tags": []},
    })  # fmt: skip
    (queue,) = collect(account, QUEUE, needs={QUEUE: frozenset({"tags"})})
    assert (queue.arn, queue.tags) == ("arn:aws:sqs:us-east-1:123456789012:q", {"a": "b"})
    assert queue.related["policies"].reason == "not_collected"
    (topic,) = collect(account, TOPIC, needs={TOPIC: frozenset({"tags"})})
    assert (topic.properties["TopicName"], topic.tags) == ("t", {})
    assert verdict("sns-topic-policy-not-public", topic) == "UNKNOWN"


def test_a_topic_without_what_everybody_may_see(canned: Callable[..., Any], collect: Any) -> None:
    arn = "arn:aws:sns:us-east-1:123456789012:t"
    role = "arn:aws:iam::123456789012:role/feedback"
    account = canned({
        "sns:ListTopics": {"Topics": [{"TopicArn": arn}]},
        "sns:GetTopicAttributes": {
            "Attributes": {"TopicArn": arn, "FifoTopic": "true", "HTTPFailureFeedbackRoleArn": role}
        },
        "sns:ListTagsForResource": {"Tags": []},
    })  # fmt: skip
    (topic,) = collect(account, TOPIC)
    assert topic.properties["FifoTopic"] is True
    assert topic.properties["DeliveryStatusLogging"] == [
        {"Protocol": "http/s", "FailureFeedbackRoleArn": role}
    ]
    assert verdict("sns-topic-policy-not-public", topic) == "UNKNOWN"
    assert collect.last.whole == (TOPIC,)


def test_a_subscription_that_waits(canned: Callable[..., Any], collect: Any) -> None:
    topic = "arn:aws:sns:us-east-1:123456789012:t"
    waiting = {"SubscriptionArn": "PendingConfirmation", "TopicArn": topic, "Protocol": "http",
               "Endpoint": "http://example.com", "Owner": MOTO_ACCOUNT}  # fmt: skip
    deleted = {**waiting, "SubscriptionArn": "Deleted"}
    account = canned({"sns:ListSubscriptions": {"Subscriptions": [waiting, deleted]}})
    (found,) = collect(account, SUBSCRIPTION)
    assert found.id == f"{topic} http http://example.com"
    assert found.arn is None
    assert found.properties["PendingConfirmation"] is True
    assert isinstance(found.properties["RedrivePolicy"], Unresolved)
    assert verdict("sns-subscription-https", found) == "FAIL"


def test_buses_and_rules(account: Any, aws: Any, collect: Any) -> None:
    region = "eu-north-1"
    events = aws("events", region)
    events.create_event_bus(Name="orders", Tags=[{"Key": "Owner", "Value": "me"}])
    bus_arn = f"arn:aws:events:{region}:{MOTO_ACCOUNT}:event-bus/orders"
    events.put_permission(
        EventBusName="orders", Action="events:PutEvents", Principal="111122223333", StatementId="all"
    )
    events.put_rule(Name="paid", EventBusName="orders", EventPattern='{"source": ["shop"]}')
    target = {"Id": "1", "Arn": f"arn:aws:sqs:{region}:{MOTO_ACCOUNT}:q"}
    events.put_targets(Rule="paid", EventBusName="orders", Targets=[target])
    events.put_rule(Name="paid", ScheduleExpression="rate(1 day)", State="DISABLED")
    found = {r.id: r for r in collect(account, BUS, region=region)}
    orders = found["orders"]
    assert (orders.arn, orders.tags) == (bus_arn, {"Owner": "me"})
    assert verdict("event-bus-policy-not-public", orders) == "PASS"
    assert "Policy" not in found["default"].properties
    assert "KmsKeyIdentifier" not in orders.properties
    assert "AWS::Events::EventBusPolicy" in collect.last.whole
    rules = {r.properties["EventBusName"]: r for r in collect(account, RULE, region=region)}
    paid, daily = rules["orders"].properties, rules["default"].properties
    assert paid["EventPattern"] == {"source": ["shop"]}
    assert paid["Targets"] == [target]
    assert (daily["State"], daily["ScheduleExpression"], daily["Targets"]) == ("DISABLED", "rate(1 day)", [])
    assert verdict("event-rule-dead-letter-queue", rules["orders"]) == "FAIL"


def test_a_key_of_a_bus_and_targets_in_ecs(canned: Callable[..., Any], collect: Any) -> None:
    bus = {"Name": "default", "Arn": "arn:aws:events:us-east-1:123456789012:event-bus/default"}
    bus["Policy"] = _public("events:PutEvents", bus["Arn"])
    rule = {"Name": "r", "Arn": "arn:aws:events:us-east-1:123456789012:rule/r", "EventBusName": "default"}
    ecs = {"TaskDefinitionArn": "t", "PlacementStrategy": [{"type": "spread", "field": "host"}],
           "Tags": [{"Key": "a", "Value": "b"}]}  # fmt: skip
    dead = {"Arn": "arn:aws:sqs:us-east-1:123456789012:dead"}
    targets = [{"Id": "1", "Arn": "c", "EcsParameters": ecs, "DeadLetterConfig": dead}]
    account = canned({
        "events:ListEventBuses": {"EventBuses": [bus]},
        "events:DescribeEventBus": {**bus, "KmsKeyIdentifier": "k"},
        "events:ListTagsForResource": {},
        "events:ListRules": {"Rules": [rule]},
        "events:ListTargetsByRule": {"Targets": targets},
    })  # fmt: skip
    (found,) = collect(account, BUS)
    assert found.properties["KmsKeyIdentifier"] == "k"
    assert verdict("event-bus-policy-not-public", found) == "FAIL"
    (found,) = collect(account, RULE)
    task = found.properties["Targets"][0]["EcsParameters"]
    assert task["PlacementStrategies"] == [{"Type": "spread", "Field": "host"}]
    assert task["TagList"] == [{"Key": "a", "Value": "b"}]
    assert verdict("event-rule-dead-letter-queue", found) == "PASS"


def test_schedules_endpoints_and_registries(canned: Callable[..., Any], collect: Any) -> None:
    arn = "arn:aws:scheduler:us-east-1:123456789012:schedule/default/nightly"
    listed = {
        "Name": "nightly",
        "GroupName": "default",
        "Arn": arn,
        "State": "ENABLED",
        "Target": {"Arn": "f"},
    }
    target = {"Arn": "f", "RoleArn": "r", "DeadLetterConfig": {"Arn": "arn:aws:sqs:us-east-1:123456789012:d"}}
    endpoint = {"Name": "e", "Arn": "arn:aws:events:us-east-1:123456789012:endpoint/e",
                "ReplicationConfig": {"State": "DISABLED"}}  # fmt: skip
    policy = _public("schemas:*", "*")
    account = canned({
        "scheduler:ListSchedules": {"Schedules": [listed]},
        "scheduler:GetSchedule": {**listed, "Target": target, "ScheduleExpression": "rate(1 day)"},
        "events:ListEndpoints": {"Endpoints": [endpoint]},
        "schemas:ListRegistries": {"Registries": [{"RegistryName": "a"}, {"RegistryName": "b"}]},
        "schemas:GetResourcePolicy": lambda a: (
            {"Policy": policy} if a["RegistryName"] == "a"
            else failure("schemas:GetResourcePolicy", "NotFoundException", "read_error")
        ),
    })  # fmt: skip
    (schedule,) = collect(account, SCHEDULE)
    assert schedule.properties["Target"]["DeadLetterConfig"]["Arn"].endswith(":d")
    assert "KmsKeyArn" not in schedule.properties
    (bare,) = collect(account, SCHEDULE, needs={SCHEDULE: frozenset({"State"})})
    assert isinstance(bare.properties["Target"], Unresolved)
    (found,) = collect(account, "AWS::Events::Endpoint")
    assert verdict("global-endpoint-replicates", found) == "FAIL"
    (registry,) = collect(account, "AWS::EventSchemas::RegistryPolicy")
    assert registry.properties["RegistryName"] == "a"
    assert registry.properties["Policy"] == json.loads(policy)
