{{/*
What Prometheus reads, by the labels that Services and pods share: the port http of the four services, and the port
metrics of the embedded NATS where its exporter runs.
*/}}
{{- define "parley.monitored" -}}
{{- $components := list "ingress" "agent" "egress" "status" -}}
{{- if include "parley.natsExported" . -}}{{- $components = append $components "nats" -}}{{- end -}}
matchLabels:
  app.kubernetes.io/name: {{ default .Chart.Name .Values.nameOverride | quote }}
  app.kubernetes.io/instance: {{ .Release.Name | quote }}
matchExpressions:
  - {key: app.kubernetes.io/component, operator: In, values: {{ toJson $components }}}
{{- end -}}

{{- define "parley.natsExported" -}}
{{- if and .Values.telemetry.natsExporter.enabled .Values.nats.embedded.enabled -}}true{{- end -}}
{{- end -}}

{{/*
(list $monitor "http"): one endpoint. The label service of a metric names a service of Parley: a label of the same
name that Prometheus gives each target by itself would push it aside.
*/}}
{{- define "parley.endpoint" -}}
- port: {{ index . 1 }}
  path: /metrics
  interval: {{ (index . 0).interval | quote }}
  scrapeTimeout: {{ (index . 0).scrapeTimeout | quote }}
  relabelings:
    - {action: labeldrop, regex: service}
{{- end -}}

{{/*
The rules of monitoring/rules.yaml for this release: they look at its namespace only, and name the runbook where it is.
*/}}
{{- define "parley.rules" -}}
{{- $rules := .Files.Get "monitoring/rules.yaml" | regexFind "(?s)\ngroups:\n.*" | trim -}}
{{- $rules = $rules | replace `namespace=~".*"` (printf "namespace=%q" .Release.Namespace) -}}
{{- with .Values.telemetry.rules.runbookUrl -}}
{{- $rules = $rules | replace "runbook_url: docs/alerts.md#" (printf "runbook_url: %s#" .) -}}
{{- end -}}
{{- $rules -}}
{{- end -}}
