import { describe, expect, it } from 'vitest';
import { certificateFinding } from '../../../../shared/doctor/certificates.ts';
import { clockFinding } from '../../../../shared/doctor/clock.ts';
import { quotaFinding } from '../../../../shared/doctor/space.ts';
import type { Handshake } from '../../../../shared/doctor/sockets.ts';

const now = Date.parse('2026-11-23T12:00:00Z');

describe('clockFinding', () => {
  it.each([
    [0, true, 'ok'],
    [-60, true, 'ok'],
    [61, false, 'warning'],
    [-299, true, 'warning'],
    [301, false, 'warning'],
    [301, true, 'failed'],
    [-4000, true, 'failed'],
  ])('of a clock that is %d s ahead, with Kerberos %s, is %s', (ahead, kerberos, state) => {
    expect(clockFinding(ahead, kerberos).state).toBe(state);
  });

  it('says which clock is behind', () => {
    expect(clockFinding(-90, false).found).toBe('its clock is 90 s behind ours');
  });
});

describe('quotaFinding', () => {
  const none = { quota: -1, spaceQuota: -1, spaceConsumed: 7, fileAndDirectoryCount: 3 };
  it.each([
    [none, 'ok', 'PATH itself has none'],
    [{ ...none, quota: 2 ** 63 }, 'ok', 'PATH itself has none'],
    [{ ...none, quota: 100 }, 'ok', 'left: 97 of 100 names'],
    [{ ...none, quota: 3 }, 'failed', 'left: 0 of 3 names'],
    [{ ...none, spaceQuota: 2048, spaceConsumed: 2000 }, 'warning', 'left: 48 B of 2.0 KiB with replicas'],
    [
      { ...none, quota: 4, spaceQuota: 8, spaceConsumed: 10 },
      'failed',
      'left: 1 of 4 names, -2 B of 8 B with replicas',
    ],
  ])('of %o', (usage, state, found) => {
    expect(quotaFinding(usage)).toMatchObject({ state, found });
  });
});

describe('certificateFinding', () => {
  const shaken = (validTo: string, refusal?: string) =>
    ({
      protocol: 'TLSv1.3',
      refusal,
      certificate: {
        valid_to: validTo,
        subject: { CN: 'nn1.prod' },
        issuer: { CN: 'Prod CA' },
        subjectaltname: 'DNS:nn1.prod',
      },
    }) as unknown as Handshake;

  it.each([
    [
      'good for long',
      shaken('Nov 23 13:00:00 2027 GMT'),
      'ok',
      /^TLSv1\.3, certificate of nn1\.prod for 365 more days$/,
    ],
    ['about to expire', shaken('Dec 1 13:00:00 2026 GMT'), 'warning', /for 8 more days$/],
    ['expired', shaken('Nov 1 00:00:00 2026 GMT', 'CERT_HAS_EXPIRED'), 'failed', /has expired on 2026-11-01$/],
    [
      'for another host',
      shaken('Nov 1 00:00:00 2027 GMT', 'ERR_TLS_CERT_ALTNAME_INVALID'),
      'failed',
      /another host name: nn1\.prod$/,
    ],
    [
      'of an unknown authority',
      shaken('Nov 1 00:00:00 2027 GMT', 'UNABLE_TO_VERIFY_LEAF_SIGNATURE'),
      'failed',
      /not trusted: Prod CA$/,
    ],
  ])('of one that is %s', (_what, handshake, state, found) => {
    const finding = certificateFinding(handshake, true, now);
    expect(finding).toMatchObject({ state, found: expect.stringMatching(found) as string });
    expect(finding.remedy === undefined).toBe(state === 'ok');
  });

  it('warns where verification is off', () => {
    const finding = certificateFinding(shaken('Nov 1 00:00:00 2027 GMT', 'DEPTH_ZERO_SELF_SIGNED_CERT'), false, now);
    expect(finding).toMatchObject({
      state: 'warning',
      found: 'TLSv1.3, unverified: its TLS certificate is self-signed: Prod CA',
    });
  });
});
