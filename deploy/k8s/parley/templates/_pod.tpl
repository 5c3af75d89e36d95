{{/* What every pod of ours has, whatever makes it: Deployment, Job, CronJob, test. */}}

{{/*
(dict "root" $ "component" "agent" "over" .Values.agent.deployment): what a pod is beside its containers. "over" says
anew what the values say for all.
*/}}
{{- define "parley.podSettings" -}}
{{- $v := .root.Values -}}{{- $over := default dict .over -}}
serviceAccountName: {{ include "parley.serviceAccountName" .root | quote }}
automountServiceAccountToken: false  # nothing here asks Kubernetes
enableServiceLinks: false  # they would set PARLEY_STATUS_PORT=tcp://…, which is a name of our own
{{- include "parley.imagePullSecrets" .root }}
securityContext:
  {{- include "parley.podSecurityContext" .root | nindent 2 }}
{{- with default $v.priorityClassName $over.priorityClassName }}
priorityClassName: {{ . | quote }}
{{- end }}
{{- with default $v.nodeSelector $over.nodeSelector }}
nodeSelector:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with default $v.tolerations $over.tolerations }}
tolerations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with default $v.affinity $over.affinity }}
affinity:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end -}}

{{/* As above: annotations and labels of a pod. */}}
{{- define "parley.podMetadata" -}}
{{- $over := default dict .over -}}
{{- with mergeOverwrite (deepCopy .root.Values.podAnnotations) (default dict $over.podAnnotations) (default dict .checksums) }}
annotations:
  {{- toYaml . | nindent 2 }}
{{- end }}
labels:
  {{- include "parley.labels" (list .root .component) | nindent 2 }}
  {{- with mergeOverwrite (deepCopy .root.Values.podLabels) (default dict $over.podLabels) }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
{{- end -}}

{{/*
As above: env and envFrom of a container. A name that is given twice counts where it stands last, and is written
once: Kubernetes refuses it otherwise.
*/}}
{{- define "parley.environment" -}}
{{- $over := default dict .over -}}
{{- $all := fromYamlArray (include "parley.secretSettings" (list .root .component)) -}}
{{- if include "parley.usesNats" .component -}}
{{- $all = concat $all (fromYamlArray (include "parley.natsSecrets" (list .root .component))) -}}
{{- end -}}
{{- $all = concat $all (fromYamlArray (include "parley.resourceAttributes" (list .root .component))) (default list .env) -}}
{{- $all = concat $all .root.Values.extraEnv (default list $over.extraEnv) -}}
{{- $last := dict -}}
{{- range $index, $one := $all -}}{{- $_ := set $last $one.name $index -}}{{- end -}}
{{- $env := list -}}
{{- range $index, $one := $all -}}{{- if eq (get $last $one.name) $index -}}{{- $env = append $env $one -}}{{- end -}}{{- end -}}
{{- with $env }}
env:
  {{- toYaml . | nindent 2 }}
{{- end }}
envFrom:
  - configMapRef: {name: {{ include "parley.name" (list .root .component) | quote }}}
  {{- with concat .root.Values.extraEnvFrom (default list .envFrom) (default list $over.extraEnvFrom) }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
{{- end -}}

{{/* (list $ "agent"): which pod a span comes from, and what else the operator wants to be said of it. */}}
{{- define "parley.resourceAttributes" -}}
{{- $root := index . 0 -}}
{{- if and (include "parley.otlpEndpoint" $root) (has (index . 1) (list "ingress" "agent" "egress" "status")) }}
{{- $said := dict "k8s.namespace.name" $root.Release.Namespace "k8s.pod.name" "$(POD_NAME)" }}
{{- $pairs := list }}
{{- range $name, $value := mergeOverwrite $said (deepCopy $root.Values.telemetry.resourceAttributes) }}
{{- $pairs = append $pairs (printf "%s=%v" $name $value) }}
{{- end }}
- name: POD_NAME
  valueFrom: {fieldRef: {fieldPath: metadata.name}}
- name: OTEL_RESOURCE_ATTRIBUTES
  value: {{ join "," $pairs | quote }}
{{- end }}
{{- end -}}

{{/* A pod is made anew when what it reads at its start is another: the checksums of its ConfigMap and own Secret. */}}
{{- define "parley.checksums" -}}
checksum/config: {{ include "parley.settings" (list .root .component) | sha256sum }}
{{- if and (not .root.Values.secrets.existingSecret) (include "parley.secretSettings" (list .root .component)) }}
checksum/secret: {{ include "parley.secretData" .root | sha256sum }}
{{- end }}
{{- end -}}

{{- define "parley.serviceAccountName" -}}
{{- $own := .Values.serviceAccount -}}
{{- if $own.create -}}{{- default (include "parley.fullname" .) $own.name -}}{{- else -}}{{- default "default" $own.name -}}{{- end -}}
{{- end -}}
