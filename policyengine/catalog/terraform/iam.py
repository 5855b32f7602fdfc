"""IAM and Cognito. Statements are not read here: only who has which document."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from policyengine.catalog.terraform.language import Merge, TypeMap

TYPES: Final[Mapping[str, TypeMap | Merge | tuple[Merge, ...]]] = {
    "aws_iam_role": TypeMap(
        "AWS::IAM::Role",
        """
            name=RoleName assume_role_policy:json=AssumeRolePolicyDocument
            inline_policy*=Policies { name=PolicyName policy:json=PolicyDocument }
            description managed_policy_arns* max_session_duration path permissions_boundary
        """,
    ),
    "aws_iam_role_policy": TypeMap(
        "AWS::IAM::RolePolicy",
        "role=RoleName name=PolicyName policy:json=PolicyDocument",
        tags="",
    ),
    "aws_iam_role_policy_attachment": (
        Merge("AWS::IAM::Role", "role", "policy_arn*=ManagedPolicyArns", append=("ManagedPolicyArns",)),
    ),
    "aws_iam_user": TypeMap(
        "AWS::IAM::User",
        "name=UserName path permissions_boundary",
        absent="LoginProfile Policies",
    ),
    "aws_iam_user_policy": TypeMap(
        "AWS::IAM::UserPolicy",
        "user=UserName name=PolicyName policy:json=PolicyDocument",
        tags="",
    ),
    "aws_iam_user_policy_attachment": (
        Merge("AWS::IAM::User", "user", "policy_arn*=ManagedPolicyArns", append=("ManagedPolicyArns",)),
    ),
    "aws_iam_user_login_profile": (Merge("AWS::IAM::User", "user", "", code="login_profile"),),
    "aws_iam_user_group_membership": (Merge("AWS::IAM::User", "user", "groups*=Groups", append=("Groups",)),),
    "aws_iam_group_membership": (Merge("AWS::IAM::User", "users", "group*=Groups", append=("Groups",)),),
    "aws_iam_group": TypeMap(
        "AWS::IAM::Group",
        "name=GroupName path",
        absent="Policies",
    ),
    "aws_iam_group_policy": TypeMap(
        "AWS::IAM::GroupPolicy",
        "group=GroupName name=PolicyName policy:json=PolicyDocument",
        tags="",
    ),
    "aws_iam_group_policy_attachment": (
        Merge("AWS::IAM::Group", "group", "policy_arn*=ManagedPolicyArns", append=("ManagedPolicyArns",)),
    ),
    "aws_iam_policy": TypeMap(
        "AWS::IAM::ManagedPolicy",
        "name=ManagedPolicyName policy:json=PolicyDocument description path",
        absent="Groups Roles Users",
    ),
    "aws_iam_policy_attachment": (
        Merge("AWS::IAM::Role", "roles", "policy_arn*=ManagedPolicyArns", append=("ManagedPolicyArns",)),
        Merge("AWS::IAM::User", "users", "policy_arn*=ManagedPolicyArns", append=("ManagedPolicyArns",)),
        Merge("AWS::IAM::Group", "groups", "policy_arn*=ManagedPolicyArns", append=("ManagedPolicyArns",)),
    ),
    "aws_iam_instance_profile": TypeMap(
        "AWS::IAM::InstanceProfile",
        "name=InstanceProfileName role*=Roles path",
    ),
    "aws_iam_access_key": TypeMap(
        "AWS::IAM::AccessKey",
        "user=UserName status",
        tags="",
        absent="Serial",
    ),
    "aws_iam_openid_connect_provider": TypeMap(
        "AWS::IAM::OIDCProvider",
        "client_id_list* url thumbprint_list*",
    ),
    "aws_iam_saml_provider": TypeMap(
        "AWS::IAM::SAMLProvider",
        "name saml_metadata_document",
    ),
    "aws_iam_server_certificate": TypeMap(
        "AWS::IAM::ServerCertificate",
        "name=ServerCertificateName certificate_body private_key certificate_chain path",
    ),
    "aws_cognito_user_pool": TypeMap(
        "AWS::Cognito::UserPool",
        """
            name=UserPoolName password_policy=Policies.PasswordPolicy { minimum_length
            password_history_size require_lowercase require_numbers require_symbols
            require_uppercase temporary_password_validity_days } account_recovery_setting {
            recovery_mechanism*=RecoveryMechanisms { name priority } }
            admin_create_user_config { allow_admin_create_user_only invite_message_template
            { email_message email_subject sms_message=SMSMessage } } alias_attributes*
            auto_verified_attributes* deletion_protection device_configuration {
            challenge_required_on_new_device device_only_remembered_on_user_prompt }
            email_configuration { configuration_set email_sending_account
            reply_to_email_address source_arn } email_verification_message
            email_verification_subject lambda_config { create_auth_challenge
            custom_email_sender { lambda_arn lambda_version } custom_message
            custom_sms_sender=CustomSMSSender { lambda_arn lambda_version }
            define_auth_challenge kms_key_id=KMSKeyID post_authentication post_confirmation
            pre_authentication pre_sign_up pre_token_generation pre_token_generation_config
            { lambda_arn lambda_version } user_migration verify_auth_challenge_response }
            mfa_configuration schema* { attribute_data_type name developer_only_attribute
            mutable number_attribute_constraints { max_value min_value } required
            string_attribute_constraints { max_length min_length } }
            sms_authentication_message sms_configuration { external_id sns_caller_arn
            sns_region } sms_verification_message user_attribute_update_settings {
            attributes_require_verification_before_update* } username_attributes*
            username_configuration { case_sensitive } user_pool_add_ons {
            advanced_security_mode advanced_security_additional_flows { custom_auth_mode } }
            user_pool_tier verification_message_template { default_email_option
            email_message email_message_by_link email_subject email_subject_by_link
            sms_message }
        """,
    ),
    "aws_cognito_user_pool_client": TypeMap(
        "AWS::Cognito::UserPoolClient",
        """
            name=ClientName user_pool_id access_token_validity allowed_oauth_flows*=AllowedOAuthFlows
            allowed_oauth_flows_user_pool_client=AllowedOAuthFlowsUserPoolClient
            allowed_oauth_scopes*=AllowedOAuthScopes auth_session_validity
            callback_urls*=CallbackURLs default_redirect_uri=DefaultRedirectURI
            enable_propagate_additional_user_context_data enable_token_revocation
            explicit_auth_flows* generate_secret id_token_validity logout_urls*=LogoutURLs
            prevent_user_existence_errors read_attributes* refresh_token_validity
            supported_identity_providers* write_attributes* token_validity_units { access_token
            id_token refresh_token } analytics_configuration { application_arn application_id
            external_id role_arn user_data_shared } refresh_token_rotation { feature
            retry_grace_period_seconds }
        """,
        tags="",
    ),
    "aws_cognito_risk_configuration": TypeMap(
        "AWS::Cognito::UserPoolRiskConfigurationAttachment",
        """
            user_pool_id client_id compromised_credentials_risk_configuration { event_filter*
            actions { event_action } } account_takeover_risk_configuration { actions { low_action {
            event_action notify } medium_action { event_action notify } high_action { event_action
            notify } } notify_configuration { source_arn from reply_to } }
            risk_exception_configuration { blocked_ip_range_list*=BlockedIPRangeList
            skipped_ip_range_list*=SkippedIPRangeList }
        """,
        tags="",
    ),
    "aws_cognito_identity_pool": TypeMap(
        "AWS::Cognito::IdentityPool",
        """
            identity_pool_name allow_classic_flow allow_unauthenticated_identities
            cognito_identity_providers* { client_id provider_name server_side_token_check }
            developer_provider_name openid_connect_provider_arns*=OpenIdConnectProviderARNs
            saml_provider_arns*=SamlProviderARNs supported_login_providers
        """,
    ),
}
