"""Copies each object of inbox/ to echo/; asked to, it tells its environment or raises."""

import json
import os
from urllib.parse import unquote_plus

import boto3

from towline.errors import LostRace

s3 = boto3.client("s3")


def handler(event, context):
    if event.get("raise"):
        raise LostRace("another commit got there first\nand again")
    if event.get("environment"):
        return {"environment": dict(os.environ), "pid": os.getpid()}
    for record in event["Records"]:
        for change in json.loads(record["body"]).get("Records", []):
            key = unquote_plus(change["s3"]["object"]["key"])
            version = change["s3"]["object"]["versionId"]
            body = s3.get_object(Bucket=os.environ["S3_BUCKET"], Key=key, VersionId=version)["Body"].read()
            s3.put_object(Bucket=os.environ["S3_BUCKET"], Key="echo/" + key.removeprefix("inbox/"), Body=body)
    return {"echoed": len(event["Records"])}
