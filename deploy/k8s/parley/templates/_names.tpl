{{/* Names and labels: the only place that makes them. A component is ingress, agent, egress, status, nats, … */}}

{{/* Before every object's name. A Service's begins with a letter and holds no dot; a release's need not. */}}
{{- define "parley.fullname" -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride | trunc 40 | trimSuffix "-" -}}
{{- else -}}
{{- $name := default .Chart.Name .Values.nameOverride -}}
{{- $release := replace "." "-" .Release.Name -}}
{{- if regexMatch "^[0-9]" $release -}}
{{- printf "%s-%s" $name $release | trunc 40 | trimSuffix "-" -}}
{{- else if contains $name $release -}}
{{- $release | trunc 40 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" ($release | trunc (int (sub 39 (len $name))) | trimSuffix "-") $name -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{/* (list $ "agent"): the name of a component's objects; short enough for what controllers append. */}}
{{- define "parley.name" -}}
{{- printf "%s-%s" (include "parley.fullname" (index . 0)) (index . 1) -}}
{{- end -}}

{{/* (list $ "agent"): what selectors select; never changes between releases of the chart. */}}
{{- define "parley.selectorLabels" -}}
{{- $root := index . 0 -}}
app.kubernetes.io/name: {{ default $root.Chart.Name $root.Values.nameOverride | quote }}
app.kubernetes.io/instance: {{ $root.Release.Name | quote }}
app.kubernetes.io/component: {{ index . 1 | quote }}
{{- end -}}

{{/* (list $ "agent"): the labels of an object. */}}
{{- define "parley.labels" -}}
{{- $root := index . 0 -}}
{{ include "parley.selectorLabels" . }}
app.kubernetes.io/part-of: parley
app.kubernetes.io/version: {{ $root.Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ $root.Release.Service | quote }}
helm.sh/chart: {{ printf "%s-%s" $root.Chart.Name ($root.Chart.Version | replace "+" "_") | quote }}
{{- end -}}

{{/* (list $ "agent"): the image of a service. */}}
{{- define "parley.image" -}}
{{- $root := index . 0 -}}{{- $image := $root.Values.image -}}
{{- $base := printf "%s/%s-%s" (default $image.registry $root.Values.global.imageRegistry) $image.repository (index . 1) -}}
{{- with index $image.digests (index . 1) -}}
{{- printf "%s@%s" $base . -}}
{{- else -}}
{{- printf "%s:%s" $base (default $root.Chart.AppVersion $image.tag) -}}
{{- end -}}
{{- end -}}

{{/* (list $ .Values.nats.embedded.image): the image of somebody else. */}}
{{- define "parley.foreignImage" -}}
{{- $root := index . 0 -}}{{- $image := index . 1 -}}
{{- $base := printf "%s/%s" (default $image.registry $root.Values.global.imageRegistry) $image.repository -}}
{{- if $image.digest -}}{{- printf "%s@%s" $base $image.digest -}}{{- else -}}{{- printf "%s:%s" $base $image.tag -}}{{- end -}}
{{- end -}}

{{- define "parley.imagePullSecrets" -}}
{{- with .Values.global.imagePullSecrets }}
imagePullSecrets:
  {{- range . }}
  - name: {{ . | quote }}
  {{- end }}
{{- end }}
{{- end -}}

{{/* Fits the restricted Pod Security Standard. */}}
{{- define "parley.podSecurityContext" -}}
{{- $own := dict "runAsNonRoot" true "runAsUser" 10001 "runAsGroup" 10001 "fsGroup" 10001 "fsGroupChangePolicy" "OnRootMismatch" "seccompProfile" (dict "type" "RuntimeDefault") -}}
{{- toYaml (mergeOverwrite $own (deepCopy .Values.podSecurityContext)) -}}
{{- end -}}

{{- define "parley.securityContext" -}}
{{- $own := dict "allowPrivilegeEscalation" false "readOnlyRootFilesystem" true "runAsNonRoot" true "capabilities" (dict "drop" (list "ALL")) -}}
{{- toYaml (mergeOverwrite $own (deepCopy .Values.securityContext)) -}}
{{- end -}}
