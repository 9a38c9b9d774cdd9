<?php
// Takes pushes: checks their signature, keeps each SMS once. PHP 8.1 or newer, nothing to install.
//
// GLOBALCONNECT_SECRET=whsec_… php -S 127.0.0.1:9000 receiver.php    (or in any web server that runs PHP)

declare(strict_types=1);

define('SECRET', base64_decode(preg_replace('/^whsec_/', '', getenv('GLOBALCONNECT_SECRET'))));
define('INBOX', getenv('INBOX') ?: 'inbox');
const LONGEST = 1_000_000; // bytes
const TOLERANCE = 300; // seconds

function isSigned(string $body): bool
{
    $sms = $_SERVER['HTTP_WEBHOOK_ID'] ?? '';
    $at = $_SERVER['HTTP_WEBHOOK_TIMESTAMP'] ?? '';
    if (!preg_match('/^sms_[0-9]{1,16}$/D', $sms) || !preg_match('/^[0-9]{1,12}$/D', $at)) {
        return false;
    }
    // An old one may be a copy of somebody who listened.
    if (abs(time() - (int) $at) > TOLERANCE) {
        return false;
    }
    $expected = 'v1,' . base64_encode(hash_hmac('sha256', "$sms.$at.$body", SECRET, true));
    // There are two while a secret is being replaced.
    foreach (explode(' ', $_SERVER['HTTP_WEBHOOK_SIGNATURE'] ?? '') as $signature) {
        if (hash_equals($expected, $signature)) {
            return true;
        }
    }
    return false;
}

/** Store an SMS under its id. Gives false if it is there already: a push may come again. */
function keep(string $sms, string $body): bool
{
    $part = tempnam(INBOX, '.part');
    $file = fopen($part, 'w');
    $written = fwrite($file, $body) === strlen($body) && fsync($file);
    fclose($file);
    $kept = INBOX . "/$sms.json";
    $isNew = $written && @link($part, $kept);
    unlink($part);
    if (!$isNew && !file_exists($kept)) {
        throw new RuntimeException('the inbox can\'t be written');
    }
    return $isNew;
}

function answer(int $code, string $status): never
{
    http_response_code($code);
    header('Content-Type: application/json');
    exit(json_encode(['status' => $status]));
}

$body = file_get_contents('php://input', length: LONGEST + 1);
if (strlen($body) > LONGEST || !isSigned($body)) {
    answer(401, 'ERROR');
}
try {
    is_dir(INBOX) || @mkdir(INBOX);
    if (keep($_SERVER['HTTP_WEBHOOK_ID'], $body)) {
        $sms = json_decode($body, true, flags: JSON_THROW_ON_ERROR);
        file_put_contents('php://stdout', "sms {$sms['phone']} {$sms['phoneFrom']} {$sms['text']}\n");
    }
} catch (Throwable $failed) {
    error_log($failed->getMessage());
    answer(500, 'ERROR');
}
// Only now: what is acknowledged is not pushed again.
answer(200, 'SUCCESS');
