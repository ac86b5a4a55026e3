//! Writing compound RTCP packets.
//!
//! Owns the order of things: a compound begins with a report (RFC 3550 §6.1), and each packet is whole or absent.

use super::{CNAME, REPORT_LEN, ReportBlock, SenderInfo};
use crate::packet::{BufferTooSmall, Ssrc};

/// Report blocks in one packet: five bits count them.
pub const MAX_REPORTS: usize = 31;

/// Puts packets one behind the other into the caller's buffer.
#[derive(Debug)]
pub struct Writer<'a> {
    out: &'a mut [u8],
    len: usize,
}

impl<'a> Writer<'a> {
    /// A writer into `out`; 200 octets hold any compound of one stream with a CNAME of up to 100.
    #[must_use]
    pub fn new(out: &'a mut [u8]) -> Self {
        Self { out, len: 0 }
    }

    /// A sender report.
    ///
    /// # Errors
    /// When the buffer is too small, or there are more than [`MAX_REPORTS`]; nothing is written then.
    pub fn sender_report(
        &mut self,
        ssrc: Ssrc,
        info: &SenderInfo,
        reports: &[ReportBlock],
    ) -> Result<(), BufferTooSmall> {
        self.packet(200, reports.len(), |body| {
            body.u32(ssrc.0)?;
            body.put(&info.ntp.0.to_be_bytes())?;
            body.u32(info.timestamp.0)?;
            body.u32(info.packets)?;
            body.u32(info.octets)?;
            reports.iter().try_for_each(|report| body.report(report))
        })
    }

    /// A receiver report.
    ///
    /// # Errors
    /// As [`Writer::sender_report`].
    pub fn receiver_report(
        &mut self,
        ssrc: Ssrc,
        reports: &[ReportBlock],
    ) -> Result<(), BufferTooSmall> {
        self.packet(201, reports.len(), |body| {
            body.u32(ssrc.0)?;
            reports.iter().try_for_each(|report| body.report(report))
        })
    }

    /// A source description of one CNAME, of 255 octets at most.
    ///
    /// # Errors
    /// When the buffer is too small or the name too long.
    // RFC 3550 §6.5.1; RFC 7022 says how to choose the name.
    pub fn sdes_cname(&mut self, ssrc: Ssrc, cname: &[u8]) -> Result<(), BufferTooSmall> {
        self.packet(202, 1, |body| {
            body.u32(ssrc.0)?;
            body.put(&[
                CNAME,
                u8::try_from(cname.len()).map_err(|_| BufferTooSmall)?,
            ])?;
            body.put(cname)?;
            // At least one zero ends the items.
            let zeros = 4 - body.len % 4;
            body.put([0; 4].get(..zeros).unwrap_or_default())
        })
    }

    /// A goodbye.
    ///
    /// # Errors
    /// When the buffer is too small.
    pub fn bye(&mut self, ssrc: Ssrc) -> Result<(), BufferTooSmall> {
        self.packet(203, 1, |body| body.u32(ssrc.0))
    }

    /// The compound's length.
    #[must_use]
    pub fn finish(self) -> usize {
        self.len
    }

    fn packet(
        &mut self,
        packet_type: u8,
        count: usize,
        write: impl FnOnce(&mut Body<'_>) -> Result<(), BufferTooSmall>,
    ) -> Result<(), BufferTooSmall> {
        let count = u8::try_from(count)
            .ok()
            .filter(|&count| usize::from(count) <= MAX_REPORTS)
            .ok_or(BufferTooSmall)?;
        let out = self.out.get_mut(self.len..).ok_or(BufferTooSmall)?;
        let (head, body) = out.split_first_chunk_mut::<4>().ok_or(BufferTooSmall)?;
        let mut body = Body { out: body, len: 0 };
        write(&mut body)?;
        let words = u16::try_from(body.len / 4).map_err(|_| BufferTooSmall)?;
        let [l0, l1] = words.to_be_bytes();
        *head = [0x80 | count, packet_type, l0, l1];
        self.len += 4 + body.len;
        Ok(())
    }
}

struct Body<'a> {
    out: &'a mut [u8],
    len: usize,
}

impl Body<'_> {
    fn put(&mut self, octets: &[u8]) -> Result<(), BufferTooSmall> {
        let end = self.len + octets.len();
        self.out
            .get_mut(self.len..end)
            .ok_or(BufferTooSmall)?
            .copy_from_slice(octets);
        self.len = end;
        Ok(())
    }

    fn u32(&mut self, number: u32) -> Result<(), BufferTooSmall> {
        self.put(&number.to_be_bytes())
    }

    fn report(&mut self, report: &ReportBlock) -> Result<(), BufferTooSmall> {
        let start = self.len;
        let lost = report.cumulative_lost.clamp(-0x80_0000, 0x7F_FFFF) as u32 & 0xFF_FFFF;
        self.u32(report.ssrc.0)?;
        self.u32(u32::from(report.fraction_lost) << 24 | lost)?;
        self.u32(report.highest_sequence)?;
        self.u32(report.jitter)?;
        self.u32(report.last_report)?;
        self.u32(report.since_last_report)?;
        debug_assert_eq!(self.len - start, REPORT_LEN);
        Ok(())
    }
}
