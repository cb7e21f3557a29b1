"""The few S3 requests that a comparison needs beside those it measures: sizes and cleaning up. Signature version 4."""

import datetime
import hashlib
import hmac
import os
import urllib.error
import urllib.parse
import urllib.request
import xml.etree.ElementTree as ElementTree

NAMESPACE = "{http://s3.amazonaws.com/doc/2006-03-01/}"


class Bucket:
    """A bucket by path-style address; credentials come from the usual environment variables."""

    def __init__(self, endpoint: str, name: str):
        self.endpoint, self.name = endpoint.rstrip("/"), name
        self._region = os.environ.get("AWS_REGION", "us-east-1")

    def size_bytes(self) -> int:
        return sum(size for _, size in self._objects())

    def remove(self) -> None:
        """Deletes the bucket and all that is in it, if it exists."""
        try:
            for key, _ in list(self._objects()):
                self._request("DELETE", key)
            self._request("DELETE")
        except urllib.error.HTTPError as error:
            if error.code != 404:
                raise

    def _objects(self):
        token = None
        while True:
            query = {"list-type": "2", **({"continuation-token": token} if token else {})}
            page = ElementTree.fromstring(self._request("GET", query=query))
            for item in page.iter(f"{NAMESPACE}Contents"):
                yield item.findtext(f"{NAMESPACE}Key"), int(item.findtext(f"{NAMESPACE}Size"))
            token = page.findtext(f"{NAMESPACE}NextContinuationToken")
            if not token:
                return

    def _request(self, method: str, key: str = "", query: dict[str, str] | None = None) -> bytes:
        path = "/" + urllib.parse.quote(f"{self.name}/{key}" if key else self.name)
        canonical_query = "&".join(
            f"{urllib.parse.quote(name, safe='')}={urllib.parse.quote(value, safe='')}" for name, value in sorted((query or {}).items()))
        host = urllib.parse.urlsplit(self.endpoint).netloc
        now = datetime.datetime.now(datetime.timezone.utc)
        stamp, day = now.strftime("%Y%m%dT%H%M%SZ"), now.strftime("%Y%m%d")
        body_hash = hashlib.sha256(b"").hexdigest()
        canonical = "\n".join([
            method, path, canonical_query, f"host:{host}", f"x-amz-content-sha256:{body_hash}", f"x-amz-date:{stamp}", "",
            "host;x-amz-content-sha256;x-amz-date", body_hash])
        scope = f"{day}/{self._region}/s3/aws4_request"
        to_sign = "\n".join(["AWS4-HMAC-SHA256", stamp, scope, hashlib.sha256(canonical.encode()).hexdigest()])
        signing_key = f"AWS4{os.environ['AWS_SECRET_ACCESS_KEY']}".encode()
        for part in (day, self._region, "s3", "aws4_request"):
            signing_key = hmac.new(signing_key, part.encode(), hashlib.sha256).digest()
        signature = hmac.new(signing_key, to_sign.encode(), hashlib.sha256).hexdigest()
        credential = f"{os.environ['AWS_ACCESS_KEY_ID']}/{scope}"
        request = urllib.request.Request(
            self.endpoint + path + (f"?{canonical_query}" if canonical_query else ""), method=method, headers={
                "x-amz-date": stamp, "x-amz-content-sha256": body_hash,
                "Authorization": f"AWS4-HMAC-SHA256 Credential={credential}, "
                                 f"SignedHeaders=host;x-amz-content-sha256;x-amz-date, Signature={signature}"})
        with urllib.request.urlopen(request) as response:
            return response.read()
