"""CloudFormation, SAM and CDK templates as a source."""

from policyengine.sources.cloudformation.cdk import Stack, is_assembly, read_assembly
from policyengine.sources.cloudformation.inputs import read_parameters_file
from policyengine.sources.cloudformation.source import TemplateSource, is_template, open_template

__all__ = [
    "Stack",
    "TemplateSource",
    "is_assembly",
    "is_template",
    "open_template",
    "read_assembly",
    "read_parameters_file",
]
