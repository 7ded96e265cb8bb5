"""Notes in the bucket that it was called, and with what."""

import json
import os
import time

import boto3

s3 = boto3.client("s3")


def handler(event, context):
    key = f"reconciled/{time.time_ns()}.json"
    s3.put_object(Bucket=os.environ["S3_BUCKET"], Key=key, Body=json.dumps(event).encode())
    return {"reconciled": True}
