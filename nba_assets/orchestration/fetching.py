"""The job that fetches the league's newest days into the landing zone; when it runs is said by its schedule."""

import dagster as dg

from nba_assets.providers.delivery import ProviderError
from nba_assets.providers.fetching import Landed, land, league, newest_days
from nba_assets.settings import Settings


@dg.op(description="What `nba-assets fetch --daily` does: today, the three days before it, and today's rosters.")
def fetch_newest_days(context: dg.OpExecutionContext) -> None:
    """Fetch, and fail with what could not be had; what was landed stays, and sensors see it."""
    settings, landed = Settings.from_environment(), Landed()
    source = league(settings, context.log.info, newest_days(), with_rosters=True)
    try:
        land(settings, source.deliveries(), landed)
    except ProviderError as error:
        raise dg.Failure(str(error)) from None
    finally:
        for line in landed.lines(settings.landing_folder):
            context.log.info(line)
    context.add_output_metadata({"files_written": landed.files_written, "rows": dict(landed.rows)})
    if source.failed:
        raise dg.Failure(f"{source.failed} games or rosters could not be fetched; the log names them")


FETCH = dg.GraphDefinition(name="fetch", node_defs=[fetch_newest_days]).to_job(
    description="Fetches the league's newest days into the landing zone, where sensors find them; builds nothing."
)
