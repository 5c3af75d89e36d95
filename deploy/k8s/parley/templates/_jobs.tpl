{{/*
Jobs are no hooks: with --wait, hooks after the install would wait for services that wait for them. The services wait by
themselves for what a Job does.

A Job cannot be changed, so its name is another at each revision, and where nobody counts revisions (Argo CD always
says 1) whenever anything in it or anything that it reads is another.
*/}}
{{- define "parley.jobName" -}}
{{- $what := print (include "parley.jobSpec" .) (include "parley.settings" (list .root .component)) (include "parley.secretData" .root) -}}
{{- printf "%s-%d-%s" (include "parley.name" (list .root .component)) (int .root.Release.Revision) (sha256sum $what | trunc 6) -}}
{{- end -}}

{{/*
A container of a Job: root, component, image (whose image), name, command; env, mounts where it has any; plain: it
reads no settings and gets no secret.
*/}}
{{- define "parley.jobContainer" -}}
name: {{ .name }}
image: {{ include "parley.image" (list .root .image) | quote }}
imagePullPolicy: {{ .root.Values.image.pullPolicy }}
command: {{ toJson .command }}
{{- if not .plain }}
{{- include "parley.environment" . }}
{{- end }}
resources:
  {{- toYaml .root.Values.jobs.resources | nindent 2 }}
securityContext:
  {{- include "parley.securityContext" .root | nindent 2 }}
volumeMounts:
  - {name: tmp, mountPath: /tmp}
  {{- if and (include "parley.usesNats" .component) (not .plain) }}
  {{- include "parley.natsMounts" .root | trim | nindent 2 }}
  {{- end }}
  {{- with .mounts }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
{{- end -}}

{{/* The volumes of those. */}}
{{- define "parley.jobVolumes" -}}
- {name: tmp, emptyDir: {}}
{{- if include "parley.usesNats" .component }}
{{- include "parley.natsVolumes" .root }}
{{- end }}
{{- end -}}

{{/*
A Job that runs one command to its end: root, component, image, command, times (activeDeadlineSeconds and
ttlSecondsAfterFinished).
*/}}
{{- define "parley.job" -}}
apiVersion: batch/v1
kind: Job
metadata:
  name: {{ include "parley.jobName" . | quote }}
  namespace: {{ .root.Release.Namespace | quote }}
  labels:
    {{- include "parley.labels" (list .root .component) | nindent 4 }}
spec:
  {{- include "parley.jobSpec" . | nindent 2 }}
{{- end -}}

{{- define "parley.jobSpec" -}}
backoffLimit: 6
activeDeadlineSeconds: {{ int .times.activeDeadlineSeconds }}
{{- with .times.ttlSecondsAfterFinished }}
ttlSecondsAfterFinished: {{ int . }}
{{- end }}
template:
  metadata:
    {{- include "parley.podMetadata" . | trim | nindent 4 }}
  spec:
    restartPolicy: Never  # each try leaves its log
    terminationGracePeriodSeconds: 5  # as process 1 it hears no SIGTERM, and what it left undone is done again
    {{- include "parley.podSettings" . | nindent 4 }}
    containers:
      - {{ include "parley.jobContainer" (merge (dict "name" .component) .) | indent 8 | trim }}
    volumes:
      {{- include "parley.jobVolumes" . | nindent 6 }}
{{- end -}}
