"""What is deployed into AWS accounts so that policyengine can work there: roles, templates."""
