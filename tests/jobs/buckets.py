"""A bucket on a real S3 server of this machine."""

from __future__ import annotations

import json
import uuid
from dataclasses import dataclass
from typing import Any

import boto3

KEYS = {"key": "test", "secret": "test-secret"}


@dataclass(frozen=True)
class Bucket:
    """``options`` is what the environment variable of a source's credentials holds."""

    client: Any
    name: str
    options: str

    def put(self, key: str, data: bytes) -> None:
        self.client.put_object(Bucket=self.name, Key=key, Body=data)

    def delete(self, key: str) -> None:
        self.client.delete_object(Bucket=self.name, Key=key)


def bucket(endpoint: str) -> Bucket:
    client = boto3.client(
        "s3",
        endpoint_url=endpoint,
        aws_access_key_id=KEYS["key"],
        aws_secret_access_key=KEYS["secret"],
        region_name="us-east-1",
    )
    name = f"b{uuid.uuid4().hex}"
    client.create_bucket(Bucket=name)
    return Bucket(client, name, json.dumps(KEYS | {"endpoint_url": endpoint}))
