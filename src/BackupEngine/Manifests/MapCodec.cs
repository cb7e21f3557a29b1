using BackupEngine.Format;
using BackupEngine.Hashing;
using BackupEngine.Packing;

namespace BackupEngine.Manifests;

/// <summary>
/// The coding that pages and page tables share (docs/format.md "Maps"): runs of zeros cost a few bytes each; a frame that follows
/// the one before it in its pack costs its length and its digest; any other names its pack and offset too.
/// </summary>
internal static class MapCodec
{
    /// <summary>An entry in bytes is never longer.</summary>
    private const int MaxEntryLength = (4 * 5) + 1 + ChunkDigest.MaxLength;

    /// <summary>Bytes that <paramref name="entryCount"/> entries take at the most.</summary>
    public static int GetMaxLength(int entryCount) => entryCount * (MaxEntryLength + VarInt.MaxLength);

    /// <summary>Writes entries one after the other; runs are closed as they end. A value type: it lives on the stack of the one who encodes.</summary>
    public ref struct Writer(Span<byte> destination, int digestLength)
    {
        private readonly Span<byte> _destination = destination;
        private FrameLocation _previous;
        private int _length;

        public readonly int Length => _length;

        /// <summary>Goes on elsewhere, from nothing written there.</summary>
        public readonly Writer ContinueOn(Span<byte> other) => new(other, digestLength) { _previous = _previous };

        public void WriteZeros(long count) => _length += VarInt.Write(_destination[_length..], ((ulong)count << 1) | 1);

        public void BeginRun(long count) => _length += VarInt.Write(_destination[_length..], (ulong)count << 1);

        public void WriteEntry(FrameLocation location, in ChunkDigest digest)
        {
            bool follows = location.Pack == _previous.Pack && location.Offset == _previous.End && !_previous.IsZero;
            _length += VarInt.Write(_destination[_length..], ((ulong)location.Length << 1) | (follows ? 0u : 1u));
            if (!follows)
            {
                _length += VarInt.Write(_destination[_length..], location.BackupOrdinal);
                _length += VarInt.Write(_destination[_length..], location.PackSequence);
                _length += VarInt.Write(_destination[_length..], location.Offset);
            }

            digest.CopyTo(_destination.Slice(_length, digestLength));
            _length += digestLength;
            _previous = location;
        }
    }

    /// <summary>Reads what <see cref="Writer"/> wrote. Bytes may be damaged: every step says whether it made sense.</summary>
    public ref struct Reader(ReadOnlySpan<byte> source, int digestLength)
    {
        private ReadOnlySpan<byte> _source = source;
        private FrameLocation _previous;

        public readonly bool AtEnd => _source.IsEmpty;

        public bool TryReadRun(out bool isZeros, out long count)
        {
            bool valid = VarInt.TryRead(ref _source, out ulong run);
            isZeros = (run & 1) != 0;
            count = (long)(run >> 1);
            return valid && count > 0;
        }

        public bool TryReadEntry(out FrameLocation location, out ChunkDigest digest)
        {
            location = default;
            digest = default;
            if (!VarInt.TryRead(ref _source, out ulong lengthAndFlag))
                return false;

            ulong ordinal = _previous.BackupOrdinal, sequence = _previous.PackSequence, offset = (ulong)_previous.End;
            if ((lengthAndFlag & 1) != 0)
            {
                if (!VarInt.TryRead(ref _source, out ordinal) || !VarInt.TryRead(ref _source, out sequence) || !VarInt.TryRead(ref _source, out offset))
                    return false;
            }
            else if (_previous.IsZero)
            {
                return false;
            }

            ulong length = lengthAndFlag >> 1;
            if (ordinal > int.MaxValue || sequence > uint.MaxValue || length is <= FrameFormat.HeaderSize or > PackFormat.MaxPackSize
                || offset < PackFormat.HeaderSize || offset > PackFormat.MaxPackSize || offset + length > PackFormat.MaxPackSize
                || _source.Length < digestLength)
                return false;

            location = _previous = new FrameLocation((uint)ordinal, (uint)sequence, (uint)offset, (uint)length);
            digest = ChunkDigest.FromBytes(_source[..digestLength]);
            _source = _source[digestLength..];
            return true;
        }
    }
}
