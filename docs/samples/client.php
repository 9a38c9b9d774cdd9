<?php
// Takes a number, waits for its SMS, closes the activation. PHP 8.1 or newer, nothing to install.
//
// GLOBALCONNECT_URL=… GLOBALCONNECT_KEY=… php client.php england any tg

declare(strict_types=1);

define('URL', rtrim(getenv('GLOBALCONNECT_URL'), '/'));
define('KEY', getenv('GLOBALCONNECT_KEY'));
const PATIENCE = 600; // seconds; an activation lives for an hour

function answerTo(string $url, array $http = [], bool $mayRepeat = true): array
{
    $context = stream_context_create(['http' => $http + ['timeout' => 35, 'ignore_errors' => true]]);
    foreach ([1, 2, 4, null] as $wait) {
        $http_response_header = [];
        // Without the @ a failure would be shown with its URL, and that of getsms holds the key.
        $text = @file_get_contents($url, false, $context);
        $code = (int) (explode(' ', $http_response_header[0] ?? '')[1] ?? 0);
        if ($text !== false && $code === 200) {
            return json_decode($text, true, flags: JSON_THROW_ON_ERROR);
        }
        // 503: nothing was changed. After another failure GET_NUMBER may have taken a number.
        $again = $code === 503 || (($code >= 500 || $code === 0) && $mayRepeat);
        if ($wait === null || !$again) {
            fail($code === 0 ? 'no answer' : "$code $text");
        }
        sleep($wait);
    }
}

function call(string $action, array $fields = []): array
{
    return answerTo(URL . '/SMSBOWER', [
        'method' => 'POST',
        'header' => 'Content-Type: application/json',
        'content' => json_encode(['key' => KEY, 'action' => $action] + $fields, JSON_THROW_ON_ERROR),
    ], $action !== 'GET_NUMBER');
}

function messagesOf(int $id): array
{
    return answerTo(URL . '/SMSBOWER/getsms/?' . http_build_query(['apiKey' => KEY, 'id' => $id]));
}

function fail(string $why): never
{
    fwrite(STDERR, "$why\n");
    exit(1);
}

[, $country, $operator, $service] = $argv;
$taken = call('GET_NUMBER', ['country' => $country, 'operator' => $operator, 'service' => $service]);
if ($taken['status'] !== 'SUCCESS') {
    fail($taken['status']);
}
echo "number {$taken['number']} activation {$taken['activationId']}\n";

$deadline = time() + PATIENCE;
$polled = messagesOf($taken['activationId']);
while ($polled['status'] === 'WAIT_CODE' && time() < $deadline) {
    sleep(2);
    $polled = messagesOf($taken['activationId']);
}

foreach ($polled['messages'] ?? [] as $sms) {
    echo "sms {$sms['phoneFrom']} {$sms['text']}\n";
}
// 3: it was used. 4: nothing came. Sent again, it has one effect.
$status = $polled['status'] === 'SUCCESS' ? 3 : 4;
$finished = call('FINISH_ACTIVATION', ['activationId' => $taken['activationId'], 'status' => $status]);
echo "finished {$finished['status']}\n";
