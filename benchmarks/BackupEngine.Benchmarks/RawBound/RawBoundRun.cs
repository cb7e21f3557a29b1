using System.Diagnostics;
using System.Globalization;
using System.IO.Hashing;
using BackupEngine.Volumes;
using K4os.Compression.LZ4;
using Microsoft.Win32.SafeHandles;

namespace BackupEngine.Benchmarks.RawBound;

/// <summary>
/// The work that no backup of this kind can leave out, and nothing else: read 512 KiB, test each chunk of 64 KiB for zeros, hash it, compress it
/// into a buffer that is used again. No format, no store, no manifest; uses nothing of the engine but the list of what to read.
/// </summary>
internal sealed class RawBoundRun(string path, IReadOnlyList<VolumeExtent> regions, bool compress)
{
    public const int ChunkLength = 64 << 10;
    private const int SegmentLength = 512 << 10;
    private const long Seed = 42;
    private readonly Lock _lock = new();
    private int _next = -1;
    private long _read;
    private long _hashed;
    private long _compressed;
    private UInt128 _check;

    public RawBoundResult Measure(int workers)
    {
        TimeSpan cpuBefore = Environment.CpuUsage.TotalTime;
        long began = Stopwatch.GetTimestamp();
        Thread[] threads = [.. Enumerable.Range(0, workers).Select(_ => new Thread(Work))];
        foreach (Thread thread in threads)
            thread.Start();
        foreach (Thread thread in threads)
            thread.Join();

        double seconds = Stopwatch.GetElapsedTime(began).TotalSeconds;
        double cpu = (Environment.CpuUsage.TotalTime - cpuBefore).TotalSeconds;
        return new RawBoundResult(seconds, cpu, _read, _hashed, _compressed, workers, compress, _check.ToString("x32", CultureInfo.InvariantCulture));
    }

    private void Work()
    {
        using SafeFileHandle handle = File.OpenHandle(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite, FileOptions.SequentialScan);
        byte[] segment = GC.AllocateUninitializedArray<byte>(SegmentLength, pinned: true);
        byte[] room = GC.AllocateUninitializedArray<byte>(LZ4Codec.MaximumOutputSize(ChunkLength), pinned: true);
        long read = 0, hashed = 0, compressed = 0;
        UInt128 check = 0;
        for (int index; (index = Interlocked.Increment(ref _next)) < regions.Count;)
        {
            for (long offset = regions[index].Offset; offset < regions[index].End; offset += SegmentLength)
            {
                Span<byte> bytes = segment.AsSpan(0, (int)Math.Min(SegmentLength, regions[index].End - offset));
                ReadAll(handle, bytes, offset);
                read += bytes.Length;
                for (int start = 0; start < bytes.Length; start += ChunkLength)
                {
                    ReadOnlySpan<byte> chunk = bytes.Slice(start, Math.Min(ChunkLength, bytes.Length - start));
                    if (!chunk.ContainsAnyExcept((byte)0))
                        continue;
                    check ^= XxHash128.HashToUInt128(chunk, Seed);
                    hashed += chunk.Length;
                    if (compress)
                        compressed += LZ4Codec.Encode(chunk, room);
                }
            }
        }

        lock (_lock)
        {
            _read += read;
            _hashed += hashed;
            _compressed += compressed;
            _check ^= check;
        }
    }

    private static void ReadAll(SafeFileHandle handle, Span<byte> destination, long offset)
    {
        for (int filled = 0; filled < destination.Length;)
        {
            int read = RandomAccess.Read(handle, destination[filled..], offset + filled);
            if (read == 0)
                throw new EndOfStreamException("The file became shorter while it was read.");
            filled += read;
        }
    }
}
