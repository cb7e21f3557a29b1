namespace BackupEngine.TestKit.Volumes;

/// <summary>Random volumes and random changes to them, for property tests; the same seed gives the same ones.</summary>
public static class RandomVolume
{
    private static readonly int[] _notableSizes = [0, 1, 2, 511, 512, 4095, 4096, 4097, 65_535, 65_536, 65_537, 131_072, 1_048_575, 1_048_576];

    private static readonly string[] _words = ["volume ", "extent ", "chunk ", "page ", "backup ", "\n", "0123456789 ", "restore "];

    /// <summary>Empty, one byte, odd, round, or any size up to the bound.</summary>
    public static int NextSize(this Random random, int maxBytes)
    {
        int notable = _notableSizes[random.Next(_notableSizes.Length)];
        return random.Next(3) switch
        {
            0 when notable <= maxBytes => notable,
            1 when maxBytes >= 65_536 => random.Next(1, maxBytes / 65_536 + 1) * 65_536,
            _ => random.Next(maxBytes + 1),
        };
    }

    /// <summary>A volume of holes, written zeros, repeats, text and noise.</summary>
    public static VolumeModel NextVolume(this Random random, int maxBytes)
    {
        var model = new VolumeModel(random.NextSize(maxBytes));
        FillWithMix(random, model, 0);
        return model;
    }

    /// <summary>Changes the volume in one to four ways, or not at all; says how.</summary>
    public static string Mutate(this Random random, VolumeModel model, int maxBytes)
    {
        if (random.Next(10) == 0)
            return "nothing";
        var steps = new List<string>();
        for (int left = random.Next(1, 5); left > 0; left--)
            steps.Add(MutateOnce(random, model, maxBytes));
        return string.Join(", ", steps);
    }

    private static string MutateOnce(Random random, VolumeModel model, int maxBytes)
    {
        int size = model.SizeBytes;
        (int offset, int length) = NextRange(random, size);
        switch (random.Next(8))
        {
            case 0 or 1:
                model.Write(NextContent(random, length), offset);
                return $"overwrite {length} at {offset}";
            case 2:
                model.Write(new byte[length], offset);
                return $"zero out {length} at {offset}";
            case 3:
                model.Punch(offset, length);
                return $"punch {length} at {offset}";
            case 4:
                // One byte in a chunk: the smallest change there is.
                if (size > 0)
                    model.Write([(byte)(model.Content[offset] + 1)], offset);
                return $"flip {offset}";
            case 5:
                // What is somewhere is now elsewhere too, mostly at another chunk's beginning.
                int from = random.Next(Math.Max(1, size - length + 1)) & (random.Next(3) == 0 ? -1 : -65_536);
                model.Write(model.Content.AsSpan(from, length).ToArray(), offset);
                return $"copy {length} from {from} to {offset}";
            case 6:
                model.Resize(Math.Max(size, random.NextSize(maxBytes)));
                if (random.Next(2) == 0)
                    FillWithMix(random, model, size);
                return $"grow to {model.SizeBytes}";
            default:
                model.Resize(Math.Min(size, random.NextSize(maxBytes)));
                return $"shrink to {model.SizeBytes}";
        }
    }

    private static void FillWithMix(Random random, VolumeModel model, int from)
    {
        while (from < model.SizeBytes)
        {
            int length = Math.Min(model.SizeBytes - from, NextLength(random, model.SizeBytes));
            // Every fourth part or so stays a hole.
            if (random.Next(4) != 0)
                model.Write(NextContent(random, length), from);
            from += length;
        }
    }

    private static (int Offset, int Length) NextRange(Random random, int size)
    {
        if (size == 0)
            return (0, 0);
        int offset = random.Next(size);
        if (random.Next(2) == 0)
            offset -= offset % (random.Next(2) == 0 ? 4096 : 65_536);
        return (offset, Math.Min(size - offset, NextLength(random, size)));
    }

    /// <summary>A few bytes, some blocks, some chunks, or a good part of the volume.</summary>
    private static int NextLength(Random random, int size) => random.Next(4) switch
    {
        0 => random.Next(1, 100),
        1 => random.Next(1, 9) * 4096,
        2 => random.Next(1, 4) * 65_536,
        _ => random.Next(1, size / 2 + 2),
    };

    private static byte[] NextContent(Random random, int length)
    {
        var content = new byte[length];
        switch (random.Next(5))
        {
            case 0:
                break;
            case 1:
                FillWithRepeats(random, content, random.Next(1, 200));
                break;
            case 2:
                FillWithRepeats(random, content, 65_536);
                break;
            case 3:
                FillWithText(random, content);
                break;
            default:
                random.NextBytes(content);
                break;
        }
        return content;
    }

    private static void FillWithRepeats(Random random, byte[] content, int period)
    {
        random.NextBytes(content.AsSpan(0, Math.Min(period, content.Length)));
        for (int i = period; i < content.Length; i++)
            content[i] = content[i - period];
    }

    private static void FillWithText(Random random, byte[] content)
    {
        for (int at = 0; at < content.Length;)
        {
            foreach (char letter in _words[random.Next(_words.Length)])
            {
                if (at < content.Length)
                    content[at++] = (byte)letter;
            }
        }
    }
}
