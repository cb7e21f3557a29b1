using System.Runtime.InteropServices;
using System.Text;

namespace BackupEngine.Cli.Demo;

/// <summary>Fills blocks with bytes that a seed decides, fast enough not to be what the tour waits for.</summary>
internal static class SampleData
{
    private const int LineCount = 1024;
    private const int WordsInLine = 10;

    private static readonly string[] _words =
        ["volume", "chunk", "pack", "page", "manifest", "record", "restore", "full", "incremental", "parent", "chain", "the", "of", "and", "a", "to"];

    private static readonly byte[][] _lines = MakeLines();

    /// <summary>Bytes that no compression makes smaller.</summary>
    public static void FillWithRandom(Span<byte> block, ulong seed)
    {
        foreach (ref ulong word in MemoryMarshal.Cast<byte, ulong>(block))
            word = Next(ref seed);
    }

    /// <summary>Lines of words.</summary>
    public static void FillWithText(Span<byte> block, ulong seed)
    {
        while (!block.IsEmpty)
        {
            ReadOnlySpan<byte> line = _lines[Next(ref seed) % LineCount];
            int length = Math.Min(line.Length, block.Length);
            line[..length].CopyTo(block);
            block = block[length..];
        }
    }

    private static byte[][] MakeLines()
    {
        ulong seed = 0;
        byte[][] lines = new byte[LineCount][];
        for (int i = 0; i < lines.Length; i++)
        {
            IEnumerable<string> words = Enumerable.Range(0, WordsInLine).Select(_ => _words[Next(ref seed) % (ulong)_words.Length]);
            lines[i] = Encoding.ASCII.GetBytes(string.Join(' ', words) + "\n");
        }

        return lines;
    }

    /// <summary>SplitMix64 (Steele, Lea, Flood: "Fast Splittable Pseudorandom Number Generators", 2014).</summary>
    private static ulong Next(ref ulong state)
    {
        ulong z = state += 0x9E3779B97F4A7C15;
        z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
        z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
        return z ^ (z >> 31);
    }
}
