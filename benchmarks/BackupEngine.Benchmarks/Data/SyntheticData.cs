using System.Buffers.Binary;

namespace BackupEngine.Benchmarks.Data;

/// <summary>
/// Bytes that compress about as the files of a system's volume do: LZ4 brings them to 40-45 % in chunks of 64 KiB. A mixture, in runs of 16 to 256 KiB
/// as files would be, of text, of tables of small records, of code-like bytes, and of what is compressed already. The same seed gives the same bytes.
/// </summary>
internal sealed class SyntheticData
{
    private const int MinRun = 16 << 10;
    private const int MaxRun = 256 << 10;
    private const int WordCount = 6000;
    private readonly Random _random;
    private readonly byte[][] _words;
    private readonly byte[][] _patterns;

    public SyntheticData(int seed)
    {
        _random = new Random(seed);
        _words = [.. Enumerable.Range(0, WordCount).Select(_ => MakeWord())];
        _patterns = [.. Enumerable.Range(0, 1024).Select(_ => MakeBytes(_random.Next(3, 17)))];
    }

    /// <summary>Makes a seeded array.</summary>
    public static byte[] Create(int length, int seed = 1)
    {
        byte[] bytes = new byte[length];
        new SyntheticData(seed).Fill(bytes);
        return bytes;
    }

    public void Fill(Span<byte> destination)
    {
        while (!destination.IsEmpty)
        {
            int length = Math.Min(destination.Length, _random.Next(MinRun, MaxRun));
            Span<byte> run = destination[..length];
            switch (_random.Next(100))
            {
                case < 40:
                    FillText(run);
                    break;
                case < 60:
                    FillRecords(run);
                    break;
                case < 87:
                    FillCode(run);
                    break;
                default:
                    _random.NextBytes(run);
                    break;
            }

            destination = destination[length..];
        }
    }

    private void FillText(Span<byte> run)
    {
        for (int at = 0; at < run.Length;)
        {
            if (_random.Next(5) == 0)
                at += Repeat(run, at, _random.Next(16, 120));
            if (at == run.Length)
                return;

            // Squared: few words are frequent, most are rare, as in any language.
            double rank = _random.NextDouble();
            byte[] word = _words[(int)(rank * rank * rank * WordCount)];
            int count = Math.Min(word.Length, run.Length - at);
            word.AsSpan(0, count).CopyTo(run[at..]);
            at += count;
            if (at < run.Length)
                run[at++] = _random.Next(12) == 0 ? (byte)'\n' : (byte)' ';
        }
    }

    private void FillRecords(Span<byte> run)
    {
        Span<byte> record = stackalloc byte[32];
        uint id = (uint)_random.Next();
        for (int at = 0; at < run.Length; at += record.Length)
        {
            record.Clear();
            BinaryPrimitives.WriteUInt32LittleEndian(record, id++);
            BinaryPrimitives.WriteUInt16LittleEndian(record[8..], (ushort)_random.Next(400));
            BinaryPrimitives.WriteUInt32LittleEndian(record[16..], (uint)_random.Next());
            BinaryPrimitives.WriteUInt16LittleEndian(record[24..], (ushort)_random.Next(8));
            int count = Math.Min(record.Length, run.Length - at);
            record[..count].CopyTo(run[at..]);
        }
    }

    private void FillCode(Span<byte> run)
    {
        for (int at = 0; at < run.Length;)
        {
            if (_random.Next(4) == 0)
                at += Repeat(run, at, _random.Next(8, 64));
            if (at == run.Length)
                return;

            byte[] pattern = _patterns[(int)(Math.Pow(_random.NextDouble(), 3) * _patterns.Length)];
            int count = Math.Min(pattern.Length, run.Length - at);
            pattern.AsSpan(0, count).CopyTo(run[at..]);
            at += count;
            for (int operand = _random.Next(3); operand > 0 && at < run.Length; operand--)
                run[at++] = (byte)_random.Next(256);
        }
    }

    /// <summary>Copies what stands some way before, as phrases, names and idioms come again in files.</summary>
    /// <returns>Bytes copied.</returns>
    private int Repeat(Span<byte> run, int at, int length)
    {
        int distance = Math.Min(at, _random.Next(64, 24 << 10));
        int count = Math.Min(Math.Min(length, distance), run.Length - at);
        run.Slice(at - distance, count).CopyTo(run[at..]);
        return count;
    }

    private byte[] MakeWord()
    {
        byte[] word = new byte[_random.Next(2, 11)];
        for (int index = 0; index < word.Length; index++)
            word[index] = (byte)('a' + Math.Min(_random.Next(26), _random.Next(26)));
        return word;
    }

    private byte[] MakeBytes(int length)
    {
        byte[] bytes = new byte[length];
        _random.NextBytes(bytes);
        return bytes;
    }
}
