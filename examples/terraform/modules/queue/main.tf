variable "name" {
  type = string
}

variable "kms_key_id" {
  type = string
}

resource "aws_sqs_queue" "main" {
  name              = var.name
  kms_master_key_id = var.kms_key_id

  redrive_policy = jsonencode({
    deadLetterTargetArn = aws_sqs_queue.dead.arn
    maxReceiveCount     = 5
  })
}

resource "aws_sqs_queue" "dead" {
  name                    = "${var.name}-dead"
  sqs_managed_sse_enabled = false # wrong: not encrypted
}
