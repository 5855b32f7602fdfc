# The reporting service of the analytics team. `plan.json` beside this folder is what
# `terraform show -json` prints for it. Comments mark what is wrong on purpose.

terraform {
  required_version = ">= 1.9"
  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = "~> 6.0"
    }
  }
}

provider "aws" {
  region = "eu-west-1"

  default_tags {
    tags = {
      CostCenter  = "cc-230"
      Project     = "reporting"
      Owner       = "analytics-team"
      Environment = "prod"
    }
  }
}

variable "office_cidr" {
  type    = string
  default = "198.51.100.0/24"
}

data "aws_vpc" "main" {
  default = false
}

resource "aws_kms_key" "data" {
  description         = "reporting data"
  enable_key_rotation = true
}

resource "aws_s3_bucket" "reports" {
  bucket = "example-analytics-reports"
}

resource "aws_s3_bucket_server_side_encryption_configuration" "reports" {
  bucket = aws_s3_bucket.reports.id

  rule {
    bucket_key_enabled = true

    apply_server_side_encryption_by_default {
      sse_algorithm     = "aws:kms"
      kms_master_key_id = aws_kms_key.data.arn
    }
  }
}

resource "aws_s3_bucket_versioning" "reports" {
  bucket = aws_s3_bucket.reports.id

  versioning_configuration {
    status = "Enabled"
  }
}

resource "aws_s3_bucket_public_access_block" "reports" {
  bucket                  = aws_s3_bucket.reports.id
  block_public_acls       = true
  block_public_policy     = true
  ignore_public_acls      = true
  restrict_public_buckets = true
}

resource "aws_s3_bucket" "scratch" {
  bucket = "example-analytics-reporting-scratch" # wrong: no versioning, no access log

  tags = {
    Owner = "TBD" # wrong: a placeholder
  }
}

resource "aws_security_group" "app" {
  name        = "reporting-app"
  description = "reporting application"
  vpc_id      = data.aws_vpc.main.id
}

resource "aws_vpc_security_group_ingress_rule" "office" {
  security_group_id = aws_security_group.app.id
  description       = "office"
  ip_protocol       = "tcp"
  from_port         = 443
  to_port           = 443
  cidr_ipv4         = var.office_cidr
}

resource "aws_vpc_security_group_ingress_rule" "ssh" {
  security_group_id = aws_security_group.app.id
  description       = "temporary, says the ticket of 2023"
  ip_protocol       = "tcp"
  from_port         = 22
  to_port           = 22
  cidr_ipv4         = "0.0.0.0/0" # wrong: everybody may log in
}

resource "aws_db_instance" "reports" {
  identifier              = "analytics-reports"
  engine                  = "postgres"
  engine_version          = "16.8"
  instance_class          = "db.m7g.large"
  allocated_storage       = 100
  storage_encrypted       = true
  kms_key_id              = aws_kms_key.data.arn
  backup_retention_period = 3     # wrong: examples/policyengine.yaml asks for 14 days
  multi_az                = false # wrong: no standby
  deletion_protection     = true
  publicly_accessible     = false
  vpc_security_group_ids  = [aws_security_group.app.id]
  username                = "reports"
  password                = "only-in-the-example"
  skip_final_snapshot     = true
}

resource "aws_ebs_volume" "data" {
  count = 2

  availability_zone = "eu-west-1a"
  size              = 200
  type              = count.index == 0 ? "gp3" : "gp2" # wrong for data[1]
  encrypted         = count.index == 0                 # wrong for data[1]
}

module "queue" {
  source = "./modules/queue"

  name       = "reporting"
  kms_key_id = aws_kms_key.data.arn
}
