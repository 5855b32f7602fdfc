"""The only package that talks to AWS: sessions, clients, rates, failures, regions, accounts.

Nothing here is imported by the core; boto3 and botocore are loaded when a session is opened.
"""
