{{/* Values as text. Helm holds numbers as floats, and prints large ones with an exponent that no setting reads. */}}

{{/* A value as a variable of the environment: no exponent, a list with commas, nothing where nothing is set. */}}
{{- define "parley.text" -}}
{{- if kindIs "float64" . -}}
{{- if eq (floor .) . -}}{{- printf "%.0f" . -}}{{- else -}}{{- printf "%.6f" . | regexFind "^-?[0-9]+[.][0-9]*[1-9]" -}}{{- end -}}
{{- else if kindIs "slice" . -}}{{- join "," . -}}
{{- else if not (kindIs "invalid" .) -}}{{- . -}}
{{- end -}}
{{- end -}}
