{{/* How long things may take to end. One place, so that no process is killed while it still ends its work. */}}

{{/* (list $ "agent"): for how long a pod still gets connections after it was told to go; 0 for what has no callers. */}}
{{- define "parley.drainSeconds" -}}
{{- int (default 0 (index (index . 0).Values (index . 1)).drainSeconds) -}}
{{- end -}}

{{/*
(list $ "agent"): drain, then the service's own PARLEY_GRACE_S, then 15 s for what follows its end: the last spans
(3 s at most), connections to the broker, the interpreter.
*/}}
{{- define "parley.terminationGracePeriodSeconds" -}}
{{- $grace := int (default 5 (index (index . 0).Values (index . 1)).graceSeconds) -}}
{{- add (include "parley.drainSeconds" .) $grace 15 -}}
{{- end -}}

{{/*
(list $ "ingress"): waits before SIGTERM, so that whoever balances load has heard that the pod goes. The kubelet has
sleep by itself since 1.30; before that, Python sleeps.
*/}}
{{- define "parley.lifecycle" -}}
{{- $drain := int (include "parley.drainSeconds" .) -}}
{{- if $drain }}
lifecycle:
  preStop:
    {{- if semverCompare ">=1.30-0" (index . 0).Capabilities.KubeVersion.Version }}
    sleep: {seconds: {{ $drain }}}
    {{- else }}
    exec: {command: [python, -c, "import time; time.sleep({{ $drain }})"]}
    {{- end }}
{{- end }}
{{- end -}}
