#!/bin/sh
# Print deploy/prometheus/alerts.yml as a PrometheusRule, with links to the runbook at URL:
#   deploy/kubernetes/prometheus-rule.sh URL | kubectl apply -n streamrec -f -
set -eu
: "${1:?expected the URL at which your people read deploy/RUNBOOK.md}"
url=$(printf %s "$1" | sed 's/[&|]/\\&/g')
cat <<'HEAD'
apiVersion: monitoring.coreos.com/v1
kind: PrometheusRule
metadata:
  name: streamrec
  labels: { app.kubernetes.io/name: streamrec }
spec:
HEAD
sed -e "s|{{ \$externalLabels.runbook }}|$url|" -e 's/^/  /' "$(dirname "$0")/../prometheus/alerts.yml"
