/** The document of the demo app: one key calls the customer's server, one dials the demo callee, anything else is told. */

/** @param customerUrl of the demo customer, `http://host:port/…`. @param callee `user@host:port`. */
export function seedDocument(customerUrl: string, callee: string): string {
  return `<?xml version="1.0" encoding="UTF-8"?>
<Response>
    <Say>Thank you for calling Opentact.</Say>
    <Record />

    <Gather numDigits="1" attempts="2" timeout="10000" finishOnKey="*">
        <Say>Now please enter a 1 for man, 2 for woman.</Say>
        <Switch>
            <Case dtmf="1">
                <Say>Hi, man</Say>
                <Callback url="${customerUrl}"/>
            </Case>
            <Case dtmf="2">
                <Say>Hi, woman</Say>
                <Dial>
                    <Sip>${callee}</Sip>
                </Dial>
            </Case>
            <Default>
                <Say>Hi, nobody</Say>
                <Callback method="post" url="${customerUrl}" />
            </Default>
            <Error>
                <Say>No DTMF Code entered.</Say>
            </Error>
        </Switch>
    </Gather>

    <Hangup />
</Response>
`;
}
