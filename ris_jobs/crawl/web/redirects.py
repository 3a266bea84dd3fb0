"""Redirects: each is a request of its own, and there are not many of them."""

from __future__ import annotations

from scrapy import Request
from scrapy.downloadermiddlewares.redirect import RedirectMiddleware
from scrapy.exceptions import IgnoreRequest
from scrapy.http import Response

from ris_jobs.crawl.fetch import Redirected
from ris_jobs.crawl.web.errand import Declined
from ris_jobs.errors import Reason

__all__ = ["Redirects"]


class Redirects(RedirectMiddleware):
    """Scrapy's, but for URLs as our fetcher read them, of which it would spell some anew; a circle
    ends where it closes, and the host that one leads to has a pace of its own."""

    def process_response(  # type: ignore[override]  # the third argument has had its day
        self, request: Request, response: Response
    ) -> Request | Response:
        outcome = request.meta["outcome"]
        if not isinstance(outcome, Redirected):
            return response
        if outcome.to in (request.url, *request.meta.get("redirect_urls", ())):
            raise _endless(f"it leads in a circle, back to {outcome.to[:200]}")
        try:
            redirected = super().process_response(request, response)
        except IgnoreRequest as error:
            raise _endless(f"it leads on and on, in the end to {outcome.to[:200]}") from error
        redirected.meta.pop("download_slot", None)  # the pace is that of the host it leads to
        return redirected.replace(url=outcome.to)


def _endless(detail: str) -> Declined:
    return Declined(Reason.TOO_MANY_REDIRECTS, detail)
