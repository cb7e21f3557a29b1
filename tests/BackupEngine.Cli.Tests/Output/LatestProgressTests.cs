using BackupEngine.Cli.Output;

namespace BackupEngine.Cli.Tests.Output;

public sealed class LatestProgressTests
{
    private readonly SteppedTime _time = new();

    [Fact]
    public void Before_the_first_report_there_is_nothing_to_say() => Assert.Equal("", new LatestProgress(_time).Describe());

    [Fact]
    public void Bytes_rate_and_time_left_are_said()
    {
        LatestProgress progress = new(_time);
        _time.Advance(TimeSpan.FromSeconds(2));
        progress.Report(Done(1L << 30, of: 4L << 30));
        Assert.Equal("1.0 GiB of 4.0 GiB, 512.0 MiB/s, 6 s left", progress.Describe());
    }

    [Fact]
    public void Long_waits_are_said_in_minutes()
    {
        LatestProgress progress = new(_time);
        _time.Advance(TimeSpan.FromSeconds(30));
        progress.Report(Done(1L << 30, of: 11L << 30));
        Assert.EndsWith(", 5 min 00 s left", progress.Describe(), StringComparison.Ordinal);
    }

    [Fact]
    public void Nothing_done_yet_gives_no_time_left()
    {
        LatestProgress progress = new(_time);
        _time.Advance(TimeSpan.FromSeconds(1));
        progress.Report(Done(0, of: 1024));
        Assert.Equal("0 B of 1.0 KiB, 0 B/s", progress.Describe());
    }

    [Fact]
    public void A_report_that_was_overtaken_does_not_turn_the_bar_back()
    {
        LatestProgress progress = new(_time);
        _time.Advance(TimeSpan.FromSeconds(1));
        progress.Report(Done(2048, of: 4096));
        progress.Report(Done(1024, of: 4096));
        Assert.StartsWith("2.0 KiB of 4.0 KiB", progress.Describe(), StringComparison.Ordinal);
    }

    [Fact]
    public void The_end_has_no_time_left()
    {
        LatestProgress progress = new(_time);
        _time.Advance(TimeSpan.FromSeconds(1));
        progress.Report(Done(4096, of: 4096));
        Assert.EndsWith(", 0 s left", progress.Describe(), StringComparison.Ordinal);
    }

    private static BackupProgress Done(long bytes, long of) => new(bytes, of, BytesRead: 0, BytesChanged: 0, BytesStored: 0);

    private sealed class SteppedTime : TimeProvider
    {
        private long _ticks;

        public override long TimestampFrequency => TimeSpan.TicksPerSecond;

        public override long GetTimestamp() => _ticks;

        public void Advance(TimeSpan by) => _ticks += by.Ticks;
    }
}
