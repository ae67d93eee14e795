#!/usr/bin/env bash
# What the service account of the pipeline may do, and no more:
#   deploy/iam.sh PROJECT LOCATION PREFIX BUCKET [READER]
# READER, e.g. group:analysts@example.com, may read the finished tables. Run it after `nba-assets doctor --create`, as somebody who owns the project.
set -euo pipefail
project=$1 location=$2 prefix=$3 bucket=$4 reader=${5:-}
account=serviceAccount:nba-assets@$project.iam.gserviceaccount.com

# On the project: to run jobs and to open read sessions. It shows no row of any table.
for role in roles/bigquery.jobUser roles/bigquery.readSessionUser; do
    gcloud projects add-iam-policy-binding "$project" --member "$account" --role "$role" --condition None >/dev/null
done

grant() { # ROLE DATASET MEMBER
    bq --project_id "$project" --location "$location" query --use_legacy_sql=false \
        "GRANT \`$1\` ON SCHEMA \`$project.${prefix:+${prefix}_}$2\` TO '$3'"
}

# On each of its own datasets: to make, read and write tables; not to make or delete datasets, nor to let others in.
for dataset in nba_raw nba_analytics nba_precompute nba_processing nba_staging; do
    grant roles/bigquery.dataEditor "$dataset" "$account"
done
if [ -n "$reader" ]; then
    for dataset in nba_analytics nba_precompute; do
        grant roles/bigquery.dataViewer "$dataset" "$reader"
    done
fi

# On the bucket: to list and read objects. Whoever lands files needs roles/storage.objectCreator, and is somebody else.
gcloud storage buckets add-iam-policy-binding "gs://$bucket" --member "$account" --role roles/storage.objectViewer >/dev/null
