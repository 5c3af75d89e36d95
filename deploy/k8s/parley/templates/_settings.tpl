{{/*
The settings: which value becomes which variable of the environment, and for whom. These two tables are the only
places that know. A variable whose text is empty is left out, so that the service's own default holds.

(list $ "agent"): a component's variables that are no secret, as the data of its ConfigMap.
*/}}
{{- define "parley.settings" -}}
{{- $root := index . 0 -}}{{- $component := index . 1 -}}
{{- $v := $root.Values -}}{{- $own := default dict (index $v $component) -}}{{- $set := default dict $own.settings -}}
{{- $services := "ingress agent egress status" -}}
{{- $broker := "ingress agent egress status declare cli backup" -}}
{{- $otlp := include "parley.otlpEndpoint" $root -}}
{{- $streams := "ingress agent egress status declare cli backup" -}}
{{- $channel := "ingress agent egress status test" -}}
{{- $rows := list
  (list "PARLEY_HOST" "ingress agent egress status simulator" $v.listenAddress)
  (list "SMS_WEBHOOK_PORT" "ingress" $own.port)
  (list "PARLEY_AGENT_PORT" "agent" $own.port)
  (list "PARLEY_EGRESS_PORT" "egress" $own.port)
  (list "PARLEY_STATUS_PORT" "status" $own.port)
  (list "PARLEY_SIMULATOR_PORT" "simulator" $own.port)
  (list "PARLEY_LOG_FORMAT" "ingress agent egress status declare migrate cli backup" $v.logFormat)
  (list "PARLEY_GRACE_S" $services $own.graceSeconds)
  (list "PARLEY_PUBLIC_URL" "ingress egress simulator test" (include "parley.publicUrl" $root))

  (list "NATS_URL" $broker (include "parley.natsUrl" $root))
  (list "NATS_USER" $broker (include "parley.natsUser" .))
  (list "NATS_INBOX_PREFIX" $broker (include "parley.natsInboxPrefix" .))
  (list "NATS_CREDS" $broker (include "parley.natsFile" (list $root "creds")))
  (list "NATS_NKEY" $broker (include "parley.natsFile" (list $root "nkey")))
  (list "NATS_CA" $broker (include "parley.natsFile" (list $root "ca.crt")))
  (list "NATS_CERT" $broker (include "parley.natsFile" (list $root "tls.crt")))
  (list "NATS_KEY" $broker (include "parley.natsFile" (list $root "tls.key")))

  (list "PARLEY_STREAM_REPLICAS" $streams (include "parley.streamReplicas" $root))
  (list "PARLEY_STREAM_MAX_AGE_S" $streams $v.streams.maxAgeSeconds)
  (list "PARLEY_STREAM_MAX_BYTES" $streams $v.streams.maxBytes)
  (list "PARLEY_MEDIA_MAX_AGE_S" $streams (default "" $v.streams.mediaMaxAgeSeconds))
  (list "PARLEY_MEDIA_MAX_BYTES" $streams $v.streams.mediaMaxBytes)

  (list "TWILIO_ACCOUNT_SID" (print $channel " simulator") $v.channel.accountSid)
  (list "TWILIO_PHONE_NUMBER" (print $channel " simulator") $v.channel.phoneNumbers)
  (list "TWILIO_MESSAGING_SERVICE_SID" (print $channel " simulator") $v.channel.messagingServiceSid)
  (list "TWILIO_API_BASE_URL" (print $channel " simulator") (include "parley.apiBaseUrl" $root))
  (list "SMS_ALLOW_ALL_USERS" $channel $v.channel.allowAllUsers)
  (list "SMS_ALLOWED_USERS" $channel $v.channel.allowedUsers)
  (list "SMS_ALLOWED_COUNTRIES" $channel $v.channel.allowedCountries)
  (list "PARLEY_SENDER_MPS" $channel $v.channel.senderMps)
  (list "PARLEY_PEOPLE_MAY_START" $channel $v.channel.peopleMayStart)
  (list "PARLEY_OFFLINE" $channel $v.channel.offline)
  (list "PARLEY_OFFLINE_TEXT" $channel $v.channel.offlineText)
  (list "PARLEY_HELP_TEXT" $channel $v.channel.helpText)
  (list "PARLEY_QUIET_HOURS" $channel $v.channel.quietHours)
  (list "PARLEY_DAILY_ANSWERS_PER_CONTACT" $channel $v.channel.dailyAnswersPerContact)
  (list "PARLEY_DAILY_SEGMENTS" $channel $v.channel.dailySegments)

  (list "PARLEY_HEAD_TIMEOUT_S" $services $set.headTimeoutSeconds)
  (list "PARLEY_BODY_TIMEOUT_S" $services $set.bodyTimeoutSeconds)
  (list "PARLEY_MOST_CONNECTIONS" $services $set.mostConnections)
  (list "PARLEY_TWILIO_TIMEOUT_S" "ingress egress status" $set.twilioTimeoutSeconds)

  (list "PARLEY_ACK_BUDGET_S" "ingress" $set.ackBudgetSeconds)
  (list "PARLEY_MOST_PENDING_WEBHOOKS" "ingress" $set.mostPendingWebhooks)
  (list "PARLEY_BACKFILL_EVERY_S" "ingress" $set.backfillEverySeconds)
  (list "PARLEY_BACKFILL_AFTER_S" "ingress" $set.backfillAfterSeconds)

  (list "PARLEY_GATHER_S" "agent" $set.gatherSeconds)
  (list "PARLEY_REPLY_EXPIRY_S" "agent" $set.replyExpirySeconds)
  (list "PARLEY_MAX_ANSWER_AGE_S" "agent" $set.maxAnswerAgeSeconds)
  (list "PARLEY_MEDIA_WITHIN_S" "agent" $set.mediaWithinSeconds)
  (list "PARLEY_AGENT_FILE" "agent" (include "parley.agentFile" $root))
  (list "PARLEY_MODEL" "agent" $v.agent.brain.model)
  (list "PARLEY_MODEL_FALLBACK" "agent" $v.agent.brain.modelFallback)
  (list "PARLEY_LLM_BASE_URL" "agent" $v.agent.brain.baseUrl)
  (list "OPENAI_BASE_URL" "agent" $v.agent.brain.openaiBaseUrl)
  (list "ANTHROPIC_BASE_URL" "agent" $v.agent.brain.anthropicBaseUrl)
  (list "PARLEY_WEBHOOK_URL" "agent" $v.agent.brain.webhookUrl)

  (list "PARLEY_SETTLE_S" "egress" $set.settleSeconds)
  (list "PARLEY_MOST_PARTS" "egress" $set.mostParts)
  (list "PARLEY_TWILIO_CONCURRENCY" "egress" $set.twilioConcurrency)

  (list "PARLEY_ASK_AFTER_S" "status" $set.askAfterSeconds)
  (list "PARLEY_DATA_DIR" "status" (ternary "" "/data" (eq (include "parley.postgresql" $root) "true")))

  (list "OTEL_EXPORTER_OTLP_ENDPOINT" $services $otlp)
  (list "OTEL_TRACES_SAMPLER" $services (ternary $v.telemetry.sampler "" (ne $otlp "")))
  (list "OTEL_TRACES_SAMPLER_ARG" $services (ternary $v.telemetry.samplerArg "" (ne $otlp "")))
  (list "PARLEY_TRACE_FAILURES" $services (ternary $v.telemetry.keepFailures "" (ne $otlp "")))

  (list "PARLEY_SELF_TEST_INGRESS_URL" "test" (include "parley.serviceUrl" (list $root "ingress")))
  (list "PARLEY_SELF_TEST_AGENT_URL" "test" (include "parley.serviceUrl" (list $root "agent")))
  (list "PARLEY_SELF_TEST_EGRESS_URL" "test" (include "parley.serviceUrl" (list $root "egress")))
  (list "PARLEY_SELF_TEST_STATUS_URL" "test" (include "parley.serviceUrl" (list $root "status")))
  (list "PARLEY_SELF_TEST_CONTACT" "test" (include "parley.testContact" $root))
  (list "PARLEY_SELF_TEST_TEXT" "test" $v.tests.text)
  (list "PARLEY_SELF_TEST_TIMEOUT_S" "test" $v.tests.timeoutSeconds)
-}}
{{- range $rows -}}
{{- $text := include "parley.text" (index . 2) -}}
{{- if and (has $component (splitList " " (index . 1))) (ne $text "") }}
{{ index . 0 }}: {{ $text | quote }}
{{- end -}}
{{- end -}}
{{- end -}}

{{/*
(list $ "agent"): the secrets that a component gets, as a list of variables. Those that may be left out are optional in a Secret of
yours, and rendered only where they are given in one of the chart's.
*/}}
{{- define "parley.secretSettings" -}}
{{- $root := index . 0 -}}{{- $component := index . 1 -}}{{- $secrets := $root.Values.secrets -}}
{{- $channel := "ingress agent egress status test" -}}
{{- $rows := list
  (list "TWILIO_AUTH_TOKEN" "authToken" (print $channel " simulator") "required")
  (list "TWILIO_AUTH_TOKEN_NEXT" "authTokenNext" $channel "optional")
  (list "TWILIO_WEBHOOK_SHARED_KEYS" "webhookSharedKeys" $channel "optional")
  (list "PARLEY_HASH_KEY" "hashKey" "ingress agent egress status declare cli backup" "required")
  (list "PARLEY_SECRET_KEY" "secretKey" "ingress egress" "required")
  (list "PARLEY_API_KEY" "apiKey" "status test" "required")
-}}
{{- range $rows -}}
{{- $value := index . 1 -}}{{- $required := eq (index . 3) "required" -}}
{{- if and (has $component (splitList " " (index . 2))) (or $required $secrets.existingSecret (index $secrets $value)) }}
- name: {{ index . 0 }}
  valueFrom:
    secretKeyRef:
      name: {{ include "parley.secretName" $root | quote }}
      key: {{ index $secrets.keys $value | quote }}
      {{- if not $required }}
      optional: true
      {{- end }}
{{- end -}}
{{- end -}}
{{- if and (has $component (list "status" "migrate")) (eq (include "parley.postgresql" $root) "true") }}
{{- $database := $root.Values.status.database }}
- name: PARLEY_DATABASE_URL
  valueFrom:
    secretKeyRef:
      name: {{ default (include "parley.ownSecretName" $root) $database.existingSecret | quote }}
      key: {{ ternary $database.key "PARLEY_DATABASE_URL" (ne $database.existingSecret "") | quote }}
{{- end -}}
{{- end -}}

{{/* What the chart itself decides for those tables. */}}

{{- define "parley.ownSecretName" -}}{{- include "parley.name" (list . "credentials") -}}{{- end -}}
{{- define "parley.secretName" -}}{{- default (include "parley.ownSecretName" .) .Values.secrets.existingSecret -}}{{- end -}}

{{/* "true" where status has PostgreSQL, and no volume. */}}
{{- define "parley.postgresql" -}}
{{- if or .Values.status.database.existingSecret .Values.status.database.url -}}true{{- end -}}
{{- end -}}

{{/* A stream on as many servers as there are, three at most: more cost time and save nothing. */}}
{{- define "parley.streamReplicas" -}}
{{- if .Values.streams.replicas -}}{{- int .Values.streams.replicas -}}
{{- else if .Values.nats.embedded.enabled -}}{{- min 3 (int .Values.nats.embedded.replicas) -}}
{{- else -}}1{{- end -}}
{{- end -}}

{{/* The agent file in the pod; empty for the example. */}}
{{- define "parley.agentFile" -}}
{{- if or .Values.agent.files .Values.agent.existingConfigMap .Values.agent.existingClaim -}}
{{- printf "/agent/%s" .Values.agent.file -}}
{{- end -}}
{{- end -}}

{{/* Who texts in helm test: where Twilio is simulated, a number that is nobody's. */}}
{{- define "parley.testContact" -}}
{{- if and .Values.simulator.enabled (not .Values.tests.contact) -}}+15550100999
{{- else -}}{{- .Values.tests.contact -}}{{- end -}}
{{- end -}}

{{/* What the chart's own Secret holds, by the names that the operator gave to the keys. */}}
{{- define "parley.secretData" -}}
{{- $data := dict -}}
{{- if not .Values.secrets.existingSecret -}}
{{- range $value, $key := .Values.secrets.keys -}}
{{- with index $.Values.secrets $value -}}{{- $_ := set $data $key . -}}{{- end -}}
{{- end -}}
{{- end -}}
{{- if not .Values.status.database.existingSecret -}}
{{- with .Values.status.database.url -}}{{- $_ := set $data "PARLEY_DATABASE_URL" . -}}{{- end -}}
{{- end -}}
{{- toYaml $data -}}
{{- end -}}
