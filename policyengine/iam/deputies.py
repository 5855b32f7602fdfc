"""AWS services that act for many customers and say for whom when they assume a role.

Each documents ``aws:SourceAccount`` and ``aws:SourceArn`` for the trust policies of its roles (2026-11):
without such a condition, a role trusts the service whoever it works for. Services that do not say for whom
they assume a role (EC2, for instance) are not listed: no condition could keep them apart.
https://docs.aws.amazon.com/IAM/latest/UserGuide/confused-deputy.html
"""

from __future__ import annotations

from typing import Final

_DOCS: Final = "https://docs.aws.amazon.com/"

DEPUTIES: Final = {
    service: _DOCS + page
    for service, page in (
        line.split()
        for line in """
bedrock.amazonaws.com                bedrock/latest/userguide/cross-service-confused-deputy-prevention.html
bedrock-agentcore.amazonaws.com      bedrock-agentcore/latest/devguide/cross-service-confused-deputy-prevention.html
cloudformation.amazonaws.com         AWSCloudFormation/latest/UserGuide/cross-service-confused-deputy-prevention.html
codebuild.amazonaws.com              codebuild/latest/userguide/cross-service-confused-deputy-prevention.html
comprehend.amazonaws.com             comprehend/latest/dg/cross-service-confused-deputy-prevention.html
datasync.amazonaws.com               datasync/latest/userguide/cross-service-confused-deputy-prevention.html
dms.amazonaws.com                    dms/latest/userguide/cross-service-confused-deputy-prevention.html
ecs-tasks.amazonaws.com              AmazonECS/latest/developerguide/cross-service-confused-deputy-prevention.html
firehose.amazonaws.com               firehose/latest/dev/confused-deputy.html
forecast.amazonaws.com               forecast/latest/dg/cross-service-confused-deputy-prevention.html
frauddetector.amazonaws.com          frauddetector/latest/ug/confused-deputy-prevention.html
glue.amazonaws.com                   glue/latest/dg/cross-service-confused-deputy-prevention.html
iot.amazonaws.com                    iot/latest/developerguide/cross-service-confused-deputy-prevention.html
kendra.amazonaws.com                 kendra/latest/dg/cross-service-confused-deputy-prevention.html
lexv2.amazonaws.com                  lexv2/latest/dg/cross-service-confused-deputy-prevention.html
logs.amazonaws.com                   AmazonCloudWatch/latest/logs/Subscriptions-confused-deputy.html
monitoring.rds.amazonaws.com         AmazonRDS/latest/UserGuide/cross-service-confused-deputy-prevention.html
personalize.amazonaws.com            personalize/latest/dg/cross-service-confused-deputy-prevention.html
pipes.amazonaws.com                  eventbridge/latest/userguide/cross-service-confused-deputy-prevention.html
sagemaker.amazonaws.com              sagemaker/latest/dg/security-confused-deputy-prevention.html
scheduler.amazonaws.com              scheduler/latest/UserGuide/cross-service-confused-deputy-prevention.html
ssm.amazonaws.com                    systems-manager/latest/userguide/cross-service-confused-deputy-prevention.html
states.amazonaws.com                 step-functions/latest/dg/procedure-create-iam-role.html
textract.amazonaws.com               textract/latest/dg/cross-service-confused-deputy-prevention.html
transcribe.amazonaws.com             transcribe/latest/dg/cross-service-confused-deputy-prevention.html
transfer.amazonaws.com               transfer/latest/userguide/confused-deputy.html
vpc-flow-logs.amazonaws.com          vpc/latest/userguide/flow-logs-iam-role.html
""".strip().splitlines()
    )
}
"""Service → the page that says so."""
